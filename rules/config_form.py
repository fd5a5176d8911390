"""A connector's settings as a Django form, made from the JSON Schema of its config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rules.registry import Connector

PREFIX = "config"


class HeaderLines(forms.Field):
    """A table of names and values, written as lines "Name: value"."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "input mono area", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return (
            "\n".join(f"{name}: {text}" for name, text in value.items())
            if isinstance(value, Mapping)
            else value
        )

    def to_python(self, value: Any) -> dict[str, str]:
        table: dict[str, str] = {}
        for number, line in enumerate(str(value or "").splitlines(), 1):
            if not line.strip():
                continue
            name, colon, text = line.partition(":")
            if not colon or not name.strip():
                raise ValidationError(
                    _("Line %(line)d: write a name, a colon and a value, as in X-Team: checkout.")
                    % {"line": number}
                )
            if name.strip() in table:
                raise ValidationError(
                    _("Line %(line)d: %(name)s is there already.") % {"line": number, "name": name.strip()}
                )
            table[name.strip()] = text.strip()
        return table


class ConfigForm(forms.Form):
    """Settings of one connector. `stored`: the config as it is now; a secret left empty keeps what is stored."""

    connector: Connector
    # A form that was not chosen is not shown, and a browser would refuse to send the page for its empty fields.
    use_required_attribute = False

    def __init__(
        self, connector: Connector, data: Any = None, stored: Mapping[str, Any] | None = None
    ) -> None:
        self.connector = connector
        self.stored = dict(stored or {})
        properties = connector.schema["properties"]
        shown = {
            name: value
            for name, value in self.stored.items()
            if name in properties and not secret(properties[name])
        }
        super().__init__(data, initial=shown, prefix=f"{PREFIX}-{connector.name}")
        required = connector.schema.get("required", [])
        for name, schema in properties.items():
            self.fields[name] = _field(schema, name in required, name in self.stored)

    @property
    def data_now(self) -> dict[str, Any]:
        """The settings as far as they are written and readable now, for a preview; nothing is checked.

        A secret that was left empty is the stored one: whoever shows these settings hides them.
        """
        found: dict[str, Any] = {}
        for name, field in self.fields.items():
            try:
                value = field.to_python(self[name].value())
            except ValidationError:
                continue
            if value not in (None, "", {}):
                found[name] = value
            elif name in self.stored and secret(self.connector.schema["properties"][name]):
                found[name] = self.stored[name]
        return found

    def clean(self) -> dict[str, Any]:
        """The config as it will be stored: secrets kept when left empty, checked by the connector itself."""
        cleaned = super().clean() or {}
        properties = self.connector.schema["properties"]
        config: dict[str, Any] = {}
        for name, value in cleaned.items():
            if value in (None, "", {}, []):
                if secret(properties[name]) and name in self.stored:
                    config[name] = self.stored[name]
                continue
            config[name] = value
        if not self.errors:
            for name, sentence in self.connector.check(config).items():
                self.add_error(name if name in self.fields else None, sentence)
        return config


def secret(schema: Mapping[str, Any]) -> bool:
    """Whether a setting (or every value of a table) is never shown again once it was saved."""
    inner = schema.get("additionalProperties")
    return bool(schema.get("writeOnly") or (isinstance(inner, Mapping) and inner.get("writeOnly")))


def _field(schema: Mapping[str, Any], required: bool, stored: bool) -> forms.Field:
    hidden = secret(schema)
    options: dict[str, Any] = {
        "label": schema.get("title", ""),
        "help_text": schema.get("description", ""),
        "required": required and not (hidden and stored),
        "initial": schema.get("default"),
    }
    if hidden and stored:
        options["help_text"] = gettext_lazy("Saved and not shown again. Leave it empty to keep it.")
    kind = schema.get("type")
    if "enum" in schema:
        return forms.ChoiceField(
            choices=[(value, value) for value in schema["enum"]],
            widget=forms.Select(attrs={"class": "select"}),
            **options,
        )
    if kind == "boolean":
        return forms.BooleanField(**{**options, "required": False})
    if kind in ("integer", "number"):
        number = forms.IntegerField if kind == "integer" else forms.FloatField
        return number(
            min_value=schema.get("minimum"),
            max_value=schema.get("maximum"),
            widget=forms.NumberInput(attrs={"class": "input", "step": "1" if kind == "integer" else "any"}),
            **options,
        )
    if kind == "object":
        return HeaderLines(**options)
    if hidden:
        widget: forms.Widget = forms.PasswordInput(
            render_value=False, attrs={"class": "input mono", "autocomplete": "new-password"}
        )
    else:
        is_url = schema.get("format") in ("uri", "url")
        attributes = {"class": "input mono", "spellcheck": "false", "autocomplete": "off"}
        # type=url refuses some addresses that are fine (and its message is the browser's): the connector decides.
        widget = forms.TextInput(attrs=attributes | ({"inputmode": "url"} if is_url else {}))
    return forms.CharField(max_length=schema.get("maxLength"), widget=widget, **options)
