"""Settings of connectors: one typed class gives schema, checks and secrecy."""

from __future__ import annotations

from typing import Any, Literal

import jsonschema
import pytest

from delivery.connectors.config import Config, InvalidConfig, Secret, setting


class Everything(Config):
    url: Secret = setting(title="Web address", format="uri", minLength=1, maxLength=20)
    size: int = setting(minimum=1, maximum=5)
    speed: float = setting(default=1.5, description="In km/h.")
    on: bool = setting(default=False)
    mode: Literal["fast", "slow"] = setting(default="fast")
    names: list[str] = setting(default=[])
    keys: dict[str, Secret] = setting(default={})

    def problems(self) -> dict[str, str]:
        return {"size": "Three is taken."} if self.size == 3 else {}


GOOD = {"url": "https://x/secret", "size": 2, "names": ["a"], "keys": {"k": "secret"}}


def test_the_schema_says_what_the_class_says() -> None:
    schema = Everything.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["url", "size"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["url"] == {
        "title": "Web address",
        "type": "string",
        "writeOnly": True,
        "format": "uri",
        "minLength": 1,
        "maxLength": 20,
    }
    assert schema["properties"]["speed"] == {
        "title": "Speed",
        "description": "In km/h.",
        "type": "number",
        "default": 1.5,
    }
    assert schema["properties"]["mode"]["enum"] == ["fast", "slow"]
    assert schema["properties"]["keys"]["additionalProperties"] == {"type": "string", "writeOnly": True}


def test_secrets_are_never_shown_however_the_config_was_made() -> None:
    for config in (Everything.load(GOOD), Everything(**GOOD)):
        assert "secret" not in repr(config)
        assert "secret" not in f"{config!s} {[config]!r} {config.keys!r}"
        assert config.url == "https://x/secret"
        assert config.keys["k"] == "secret"


class Place(Config):
    url: str = setting(format="uri")
    key: Secret = setting(default=Secret(""))
    names: list[Secret] = setting(default=[])


def test_user_and_password_of_a_url_are_secrets_too() -> None:
    config = Place(
        url="https://robot:p%40ss-word@shop.example/", key=Secret("key-of-it"), names=["one", "four"]
    )
    assert repr(config) == (
        "Place({'url': 'https://••••@shop.example/', 'key': '••••', 'names': ['••••', '••••']})"
    )
    found = config.secret_texts()
    assert set(found) == {
        "cm9ib3Q6cEBzcy13b3Jk", "robot:p%40ss-word", "robot:p@ss-word", "p%40ss-word", "p@ss-word", "key-of-it", "four",
    }  # fmt: skip
    assert found == sorted(found, key=len, reverse=True)
    assert Place(url="https://shop.example/").secret_texts() == []


def test_defaults_are_not_shared_between_configs() -> None:
    first = Everything.load({"url": "a", "size": 1})
    first.names.append("x")
    assert Everything.load({"url": "a", "size": 1}).names == []
    assert Everything.schema()["properties"]["names"]["default"] == []


# what is changed in GOOD, field, part of the sentence
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"other": 1}, "other", "no such setting"),
    ({"url": 1}, "url", "text"),
    ({"url": ""}, "url", "not be empty"),
    ({"url": "x" * 21}, "url", "At most 20"),
    ({"size": "1"}, "size", "whole number"),
    ({"size": 1.5}, "size", "whole number"),
    ({"size": True}, "size", "whole number"),
    ({"size": 0}, "size", "at least 1"),
    ({"size": 6}, "size", "at most 5"),
    ({"size": 3}, "size", "taken"),
    ({"speed": "fast"}, "speed", "a number"),
    ({"speed": None}, "speed", "a number"),
    ({"on": 1}, "on", "true or false"),
    ({"mode": "medium"}, "mode", "fast, slow"),
    ({"names": "a"}, "names", "a list"),
    ({"names": ["a", 1]}, "names", "1: This must be text"),
    ({"keys": []}, "keys", "a table"),
    ({"keys": {"k": 1}}, "keys", "k: This must be text"),
]


@pytest.mark.parametrize(("change", "field", "part"), WRONG)
def test_a_wrong_setting_is_named_with_what_is_wrong(change: dict[str, Any], field: str, part: str) -> None:
    with pytest.raises(InvalidConfig) as raised:
        Everything.load({**GOOD, **change})
    assert list(raised.value.problems) == [field]
    assert part in raised.value.problems[field]


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(InvalidConfig) as raised:
        Everything.load({"speed": "x"})
    assert set(raised.value.problems) == {"url", "size", "speed"}


@pytest.mark.parametrize(("change", "field", "part"), [row for row in WRONG if row[0] != {"size": 3}])
def test_the_schema_refuses_what_load_refuses(change: dict[str, Any], field: str, part: str) -> None:
    validator = jsonschema.Draft202012Validator(Everything.schema())
    assert validator.is_valid(GOOD)
    assert not validator.is_valid({**GOOD, **change})
