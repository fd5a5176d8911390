"""Settings forms made from a connector's JSON Schema."""

from __future__ import annotations

from typing import Any

from rules.config_form import ConfigForm
from rules.registry import Connector

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["url", "key"],
    "properties": {
        "url": {"type": "string", "title": "URL", "format": "uri"},
        "mode": {"type": "string", "enum": ["binary", "structured"], "default": "binary"},
        "timeout": {"type": "number", "minimum": 1, "maximum": 60, "default": 10.0},
        "retries": {"type": "integer", "default": 3},
        "compress": {"type": "boolean", "default": False},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "key": {"type": "string", "writeOnly": True},
        "headers": {"type": "object", "additionalProperties": {"type": "string", "writeOnly": True}},
    },
}


def connector(problems: dict[str, str] | None = None) -> Connector:
    return Connector(
        "hook", "Hook", "webhook", SCHEMA, lambda config: str(config["url"]), lambda config: problems or {}
    )


def sent(**values: str) -> dict[str, str]:
    plain = {"url": "http://127.0.0.1/", "mode": "binary", "timeout": "10", "retries": "3", "key": "k1"}
    return {f"config-hook-{name}": value for name, value in (plain | values).items()}


def test_values_have_the_types_of_the_schema() -> None:
    form = ConfigForm(connector(), sent(tags="X-Team: shop\nX-Env: a: b", compress="on"))
    assert form.is_valid(), form.errors
    assert form.cleaned_data == {
        "url": "http://127.0.0.1/",
        "mode": "binary",
        "timeout": 10.0,
        "retries": 3,
        "compress": True,
        "tags": {"X-Team": "shop", "X-Env": "a: b"},
        "key": "k1",
    }


def test_what_is_wrong_is_said_at_its_field() -> None:
    form = ConfigForm(connector(), sent(timeout="90", mode="other", tags="no colon", url=""))
    assert set(form.errors) == {"timeout", "mode", "tags", "url"}
    assert "Line 1" in form.errors["tags"][0]


def test_the_connector_has_the_last_word() -> None:
    form = ConfigForm(connector({"url": "Not this address.", "": "Both at once."}), sent())
    assert form.errors == {"url": ["Not this address."], "__all__": ["Both at once."]}


def test_a_saved_secret_is_never_shown_and_kept_when_left_empty() -> None:
    stored = {"url": "http://127.0.0.1/", "key": "s3cret", "headers": {"Authorization": "Bearer s3cret"}}
    assert "s3cret" not in ConfigForm(connector(), stored=stored).as_p()
    form = ConfigForm(connector(), sent(key="", headers=""), stored)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["key"] == "s3cret"
    assert form.cleaned_data["headers"] == {"Authorization": "Bearer s3cret"}
    assert "s3cret" not in form.as_p()


def test_a_new_secret_takes_the_place_of_the_old() -> None:
    form = ConfigForm(connector(), sent(key="fresh"), {"url": "http://127.0.0.1/", "key": "old"})
    assert form.is_valid()
    assert form.cleaned_data["key"] == "fresh"
