"""Secrets of a config: shown as dots, kept when the dots come back, never taken elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from rules.secrets import MASK, kept, masked, masked_url, without_masks

SCHEMA: dict[str, Any] = {
    "properties": {
        "url": {"type": "string", "format": "uri"},
        "mode": {"type": "string"},
        "key": {"type": "string", "writeOnly": True},
        "keys": {"type": "array", "items": {"type": "string", "writeOnly": True}},
        "headers": {"type": "object", "additionalProperties": {"type": "string", "writeOnly": True}},
    }
}
STORED = {
    "url": "https://robot:s3cret@shop.example:8443/hook?x=1",
    "mode": "binary",
    "key": "s3cret-key",
    "keys": ["s3cret-1", "s3cret-2"],
    "headers": {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret"},
}
SHOWN = {
    "url": f"https://{MASK}@shop.example:8443/hook?x=1",
    "mode": "binary",
    "key": MASK,
    "keys": [MASK, MASK],
    "headers": {"Authorization": MASK, "X-Api-Key": MASK},
}


def test_nothing_secret_is_left_in_what_is_shown() -> None:
    assert masked(SCHEMA, STORED | {"unknown": "s3cret"}) == SHOWN
    assert without_masks(SCHEMA, STORED) == {"url": "https://shop.example:8443/hook?x=1", "mode": "binary"}


def test_what_comes_back_as_it_was_shown_keeps_everything() -> None:
    assert kept(SCHEMA, SHOWN, STORED) == (STORED, {})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://shop.example/@robot", "https://shop.example/@robot"),
        ("https://robot@shop.example", f"https://{MASK}@shop.example"),
        ("https://robot:p@ss@shop.example/x", f"https://{MASK}@shop.example/x"),
        ("HTTPS://robot:pass@shop.example", f"HTTPS://{MASK}@shop.example"),
        ("amqps://robot:pass@[::1]:5671/v", f"amqps://{MASK}@[::1]:5671/v"),
        ("https://shop.example/?to=a@b.example", "https://shop.example/?to=a@b.example"),
        ("no url", "no url"),
    ],
)
def test_user_and_password_of_a_url_are_masked_and_nothing_else(url: str, shown: str) -> None:
    assert masked_url(url) == shown
    assert kept(SCHEMA, {"url": shown}, {"url": url}) == ({"url": url}, {})


def test_one_is_replaced_one_removed_one_added_and_the_others_stay() -> None:
    sent = SHOWN | {"headers": {"authorization": MASK, "X-Team": "shop"}, "key": "fresh"}
    config, problems = kept(SCHEMA, sent, STORED)
    assert problems == {}
    assert config["headers"] == {"authorization": "Bearer s3cret", "X-Team": "shop"}
    assert config["key"] == "fresh"
    assert config["url"] == STORED["url"]


@pytest.mark.parametrize("name", ["url", "key", "keys", "headers"])
def test_dots_that_stand_for_nothing_are_no_secret(name: str) -> None:
    config, problems = kept(SCHEMA, {name: SHOWN[name]}, {})
    assert set(problems) == {name}
    assert name not in config


@pytest.mark.parametrize(
    ("url", "goes_there"),
    [
        (f"https://{MASK}@shop.example:8443/other?x=2", True),
        ("https://other:one@shop.example:8443/hook", True),
        (f"https://{MASK}@thief.example:8443/hook", False),
        ("https://thief.example/hook", False),
        (f"https://{MASK}@shop.example:9000/hook", False),
        (f"http://{MASK}@shop.example:8443/hook", False),
        (f"https://{MASK}@shop.example:8443@thief.example/", False),
    ],
)
def test_a_secret_is_not_taken_to_another_host(url: str, goes_there: bool) -> None:
    config, problems = kept(SCHEMA, SHOWN | {"url": url}, STORED)
    if goes_there:
        assert problems == {}
        assert config["headers"] == STORED["headers"]
    else:
        assert {"key", "keys", "headers"} <= set(problems)
    fresh = {"url": "https://thief.example/", "headers": {"Authorization": "new"}}
    assert kept(SCHEMA, fresh, STORED) == (fresh, {})


def test_from_http_to_https_they_come_along() -> None:
    stored = {"url": "http://shop.example/", "key": "s3cret"}
    assert kept(SCHEMA, {"url": "https://shop.example/", "key": MASK}, stored)[1] == {}
