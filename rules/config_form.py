"""A connector's settings as a Django form, made from the JSON Schema of its config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.languages.telling import in_language, told
from rules import secrets
from rules.registry import Connector

PREFIX = "config"


class HeaderLines(forms.Field):
    """A table of names and values, written as lines "Name: value". `hidden`: no page shows the values."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "input mono area", "spellcheck": "false"})

    def __init__(self, *, hidden: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.hidden = hidden

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return "\n".join(f"{name}: {text}" for name, text in value.items())
        if not self.hidden or not value:
            return value
        # What was typed and is not saved yet.
        lines = (line.partition(":") for line in str(value).splitlines())
        return "\n".join(
            f"{name}: {secrets.MASK}" if colon and text.strip() else f"{name}{colon}"
            for name, colon, text in lines
        )

    def to_python(self, value: Any) -> dict[str, str]:
        if isinstance(value, Mapping):
            return dict(value)
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


class URLField(forms.CharField):
    """A URL whose user and password no page shows, not even before it is saved."""

    def prepare_value(self, value: Any) -> Any:
        return secrets.masked_url(value) if isinstance(value, str) else value


class SecretArea(forms.Textarea):
    """For a secret of several lines: what was sent does not come back."""

    def format_value(self, value: Any) -> str:
        return ""


class Group(NamedTuple):
    """Fields that a form folds away together; `used`: some of them say something, or are wrong."""

    label: str
    fields: list[forms.BoundField]
    used: bool


class ConfigForm(forms.Form):
    """Settings of one connector. `stored`: the config as it is now; its secrets are shown as dots and kept so."""

    connector: Connector
    # A form that was not chosen is not shown, and a browser would refuse to send the page for its empty fields.
    use_required_attribute = False

    def __init__(
        self, connector: Connector, data: Any = None, stored: Mapping[str, Any] | None = None
    ) -> None:
        self.connector = connector
        self.stored = dict(stored or {})
        shown = secrets.masked(connector.schema, self.stored)
        super().__init__(data, initial=shown, prefix=f"{PREFIX}-{connector.name}")
        required = connector.schema.get("required", [])
        for name, schema in connector.schema["properties"].items():
            self.fields[name] = _field(schema, name in required, self.stored.get(name))

    def without_defaults(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """`config` without the settings that the stored one leaves out and that say what their default says."""
        properties = self.connector.schema["properties"]
        return {
            name: value
            for name, value in config.items()
            if name in self.stored or value != properties[name].get("default")
        }

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """The fields of no group."""
        return [self[name] for name in self.fields if not self._properties[name].get("group")]

    @property
    def groups(self) -> list[Group]:
        """The other fields, by their groups (`group` in the schema), in the schema's order."""
        found: dict[str, list[str]] = {}
        for name in self.fields:
            if label := self._properties[name].get("group"):
                found.setdefault(label, []).append(name)
        now = self._written
        return [
            Group(
                in_language(label),
                [self[name] for name in names],
                any(
                    name in self.errors
                    or now.get(name) not in (None, {}, [], self._properties[name].get("default"))
                    for name in names
                ),
            )
            for label, names in found.items()
        ]

    @property
    def _properties(self) -> Mapping[str, Mapping[str, Any]]:
        properties: Mapping[str, Mapping[str, Any]] = self.connector.schema["properties"]
        return properties

    @property
    def data_now(self) -> dict[str, Any]:
        """The settings as far as they are written and readable now, without secrets, for a preview; nothing is checked."""
        return secrets.without_masks(self.connector.schema, self._written)

    @property
    def shown_now(self) -> dict[str, Any]:
        """As `data_now`, with every secret, also one that was just typed, as a mask."""
        return secrets.masked(self.connector.schema, self._written)

    @property
    def _written(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.fields.items():
            try:
                value = field.to_python(self[name].value())
            except ValidationError:
                continue
            if value not in (None, ""):
                found[name] = value
        return found

    def clean(self) -> dict[str, Any]:
        """The config as it will be stored: dots replaced by what they stand for, checked by the connector itself."""
        cleaned = super().clean() or {}
        properties = self._properties
        sent: dict[str, Any] = {}
        for name, value in cleaned.items():
            if not self._counts(name, cleaned):
                self.errors.pop(name, None)  # Nobody sees it, and it is not kept.
            elif value not in (None, "", {}, []):
                sent[name] = value
            elif secrets.is_secret(properties[name]) and isinstance(self.stored.get(name), str):
                sent[name] = secrets.MASK  # A password field that was left empty.
        config, problems = secrets.kept(self.connector.schema, sent, self.stored)
        for name, sentence in problems.items():
            self.add_error(name, sentence)
        if not self.errors:
            for name, sentence in self.connector.check(config).items():
                self.add_error(name if name in self.fields else None, told(sentence))
        return config

    def _counts(self, name: str, now: Mapping[str, Any]) -> bool:
        """Whether a setting says something beside the others (`when` in the schema)."""
        wanted: Mapping[str, list[Any]] = self._properties[name].get("when", {})
        return all(now.get(other) in values for other, values in wanted.items())


def _when(schema: Mapping[str, Any]) -> str:
    """For the script that shows and hides fields: "auth=basic,bearer"; "" for one that always counts."""
    return ";".join(
        f"{other}={','.join('on' if value is True else str(value) for value in values)}"
        for other, values in schema.get("when", {}).items()
    )


def _field(schema: Mapping[str, Any], required: bool, value: Any) -> forms.Field:
    hidden, stored = secrets.is_secret(schema), value not in (None, "", {}, [])
    options: dict[str, Any] = {
        "label": in_language(schema.get("title", "")),
        "help_text": in_language(schema.get("description", "")),
        "required": required and not (hidden and stored),
        "initial": schema.get("default"),
    }
    if hidden and stored:
        options["help_text"] = gettext_lazy("What is saved is not shown: leave •••• as it is to keep it.")
    elif secrets.is_url(schema) and stored and secrets.masked_url(value) != value:
        options["help_text"] = gettext_lazy(
            "Its user and password are not shown: leave •••• as it is to keep them."
        )
    field = _of_kind(schema, hidden, stored, options)
    # A choice is always made; and what is needed beside another setting is not called optional where it is shown.
    field.says_optional = not ("enum" in schema or schema.get("needed"))  # type: ignore[attr-defined]
    if when := _when(schema):
        field.widget.attrs["data-when"] = when
    if hidden or secrets.is_url(schema):
        # The page never gives it back: the script keeps what was typed while parts of the page are renewed.
        field.widget.attrs["data-secret"] = ""
    return field


def _of_kind(schema: Mapping[str, Any], hidden: bool, stored: bool, options: dict[str, Any]) -> forms.Field:
    kind = schema.get("type")
    if "enum" in schema:
        labels = schema.get("labels", {})
        return forms.ChoiceField(
            choices=[(value, in_language(labels.get(value, value))) for value in schema["enum"]],
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
        return HeaderLines(hidden=hidden, **options)
    widget: forms.Widget
    if "contentMediaType" in schema:
        attributes = {"class": "input mono area", "rows": "4", "spellcheck": "false", "autocomplete": "off"}
        attributes |= {"placeholder": secrets.MASK} if hidden and stored else {}
        widget = (SecretArea if hidden else forms.Textarea)(attrs=attributes)
    elif hidden:
        attributes = {"class": "input mono", "autocomplete": "new-password"}
        if stored:
            attributes["placeholder"] = secrets.MASK
        widget = forms.PasswordInput(render_value=False, attrs=attributes)
    else:
        is_url = secrets.is_url(schema)
        attributes = {"class": "input mono", "spellcheck": "false", "autocomplete": "off"}
        # type=url refuses some addresses that are fine (and its message is the browser's): the connector decides.
        widget = forms.TextInput(attrs=attributes | ({"inputmode": "url"} if is_url else {}))
        if is_url:
            return URLField(max_length=schema.get("maxLength"), widget=widget, **options)
    return forms.CharField(max_length=schema.get("maxLength"), widget=widget, **options)
