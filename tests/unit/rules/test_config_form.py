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


STORED = {
    "url": "http://robot:s3cret@127.0.0.1/",
    "key": "s3cret",
    "headers": {"Authorization": "Bearer s3cret", "X-Key": "s3cret"},
}


def shown(form: ConfigForm) -> dict[str, str]:
    """What a browser sends when nothing is touched."""
    sent = {}
    for field in form:
        if field.widget_type == "checkbox":
            continue
        value = None if field.widget_type == "password" else field.value()
        sent[field.html_name] = str("" if value is None else value)
    return sent


def test_a_saved_secret_is_never_shown_and_kept_when_it_is_left_as_it_is() -> None:
    first = ConfigForm(connector(), stored=STORED)
    html = first.as_p()
    assert "s3cret" not in html
    assert "http://••••@127.0.0.1/" in html
    assert "Authorization: ••••\nX-Key: ••••" in html
    assert html.count("leave •••• as it is to keep") == 3
    form = ConfigForm(connector(), shown(first), STORED)
    assert form.is_valid(), form.errors
    assert {name: form.cleaned_data[name] for name in STORED} == STORED
    assert "s3cret" not in form.as_p()
    assert "s3cret" not in str(form.data_now)
    assert form.data_now["url"] == "http://127.0.0.1/"


def test_a_secret_that_was_taken_out_is_gone() -> None:
    form = ConfigForm(connector(), sent(key="", headers="X-Key: ••••", url="http://127.0.0.1/"), STORED)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["headers"] == {"X-Key": "s3cret"}
    assert form.cleaned_data["url"] == "http://127.0.0.1/"
    form = ConfigForm(connector(), sent(key="", headers="", url="http://127.0.0.1/"), STORED)
    assert form.is_valid()
    assert "headers" not in form.cleaned_data


def test_dots_are_no_secret_and_secrets_do_not_move_to_another_host() -> None:
    form = ConfigForm(connector(), sent(headers="X-New: ••••"), STORED)
    assert "X-New: there is no value saved" in form.errors["headers"][0]
    form = ConfigForm(connector(), sent(headers="X-Key: ••••", url="http://thief.example/"), STORED)
    assert "another host" in form.errors["headers"][0]
    assert "s3cret" not in form.as_p()


def test_a_new_secret_takes_the_place_of_the_old() -> None:
    form = ConfigForm(connector(), sent(key="fresh"), {"url": "http://127.0.0.1/", "key": "old"})
    assert form.is_valid()
    assert form.cleaned_data["key"] == "fresh"
