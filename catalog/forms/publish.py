"""The form of a test event, made from the fields of its schema, and the way back from form values to JSON."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog.forms.console import CodeArea, ConsoleFields
from catalog.languages.telling import told
from catalog.models import EventType, Source
from catalog.schemas.fields import Field
from catalog.schemas.text import NotJson, parse, pointer_of

NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_MISSING: Any = object()


class PublishForm(ConsoleFields, forms.Form):
    """Attributes of a test event; its data as one JSON text, or as a field per schema field with `fields`."""

    # New with every page: what is sent twice from one page is one event (see `event_id`).
    once = forms.UUIDField(
        required=False, widget=forms.HiddenInput({"autocomplete": "off"}), initial=uuid.uuid4
    )
    source = forms.ChoiceField(label=_("Source"))
    subject = forms.CharField(
        label=_("Subject"),
        required=False,
        max_length=255,
        help_text=_("What it is about, such as order-1. Events of one subject are delivered in order."),
    )
    # Not called "data": that is what a form calls all it was sent.
    whole = forms.CharField(
        label=_("Data"),
        required=False,
        max_length=1024 * 1024,
        widget=CodeArea({"rows": 16}),
        help_text=_("JSON."),
    )

    def __init__(
        self, *args: Any, event_type: EventType, fields: tuple[Field, ...], example: Any, **kwargs: Any
    ) -> None:
        self.tree = fields
        # Names of properties may hold anything, so inputs are numbered; this is where each pointer's input is.
        self.inputs: dict[str, str] = {}
        super().__init__(*args, **kwargs)
        sources = list(event_type.sources.offered().select_related("bus")) or list(
            Source.objects.offered().select_related("bus")[:200]
        )
        self.by_uri = {source.uri: source for source in sources}
        choices = [(source.uri, f"{source.name} ({source.uri})") for source in sources]
        source = self.fields["source"]
        assert isinstance(source, forms.ChoiceField)
        source.choices = choices or [("/console", _t("The console (/console)"))]
        if self.tree:
            del self.fields["whole"]
            self._add(self.tree, example)
        else:
            self.initial.setdefault("whole", json.dumps(example, indent=2, ensure_ascii=False))
        self.dress()

    def _add(self, fields: tuple[Field, ...], example: Any) -> None:
        for field in fields:
            value = example.get(field.path[-1], _MISSING) if isinstance(example, dict) else _MISSING
            if field.kind == "object" and field.children:
                self._add(field.children, value)
                continue
            name = self.inputs[pointer_of(field.path)] = f"data-{len(self.inputs)}"
            self.fields[name] = _input(field)
            self.fields[name].says_optional = False  # type: ignore[attr-defined]
            if value is not _MISSING:
                self.initial[name] = _shown(field, value)

    def groups(self) -> list[dict[str, Any]]:
        """The fields of data in reading order, objects as groups: {"legend", "members"} or {"field"}."""
        return self._groups(self.tree)

    def _groups(self, fields: tuple[Field, ...]) -> list[dict[str, Any]]:
        return [
            {"legend": field, "members": self._groups(field.children)}
            if field.kind == "object" and field.children
            else {"field": self[self.inputs[pointer_of(field.path)]]}
            for field in fields
        ]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "whole" in self.fields:
            self.value = self._parsed("whole", data.get("whole") or "null")
        else:
            self.value = self._object(self.tree)
        return data

    def _object(self, fields: tuple[Field, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field in fields:
            if field.kind == "object" and field.children:
                value: Any = self._object(field.children)
                if not value and not field.required:
                    continue
            else:
                value = self._value(field)
            if value is not _MISSING:
                found[field.path[-1]] = value
        return found

    def _value(self, field: Field) -> Any:
        name = self.inputs[pointer_of(field.path)]
        text = self.cleaned_data.get(name, "")
        if text == "" and not (field.required and field.kind == "string" and not field.choices):
            return _MISSING
        if field.choices:
            return field.choices[int(text)]
        if field.kind == "boolean":
            return text == "true"
        if field.kind in ("integer", "number"):
            if not NUMBER.fullmatch(text.strip()):
                self.add_error(name, _("This is no number. Write it like 12 or 1249.50."))
                return _MISSING
            return json.loads(text)
        if field.kind == "string":
            return text
        return self._parsed(name, text)

    def _parsed(self, name: str, text: str) -> Any:
        try:
            return parse(text)
        except NotJson as error:
            self.add_problem(name, str(error), error.mistake.line)
            return _MISSING

    def event_id(self) -> str:
        """The event's id: the same for the same content sent again from the same page, as by a double click."""
        given = self.cleaned_data
        content = json.dumps([given["source"], given["subject"], self.value], sort_keys=True)
        return str(uuid.uuid5(given.get("once") or uuid.uuid4(), content))

    def refuse(self, reason: str, pointer: str | None) -> None:
        """Shows why the ingest refused the event, beside the field that `pointer` names if there is one."""
        place = (pointer or "").removeprefix("/data")
        if place in self.inputs:
            self.add_error(self.inputs[place], reason)
        elif "whole" in self.fields and (pointer or "").startswith("/data"):
            self.add_error("whole", f"{place}: {reason}" if place else reason)
        else:
            self.add_error(None, f"{pointer}: {reason}" if pointer else reason)


def _input(field: Field) -> forms.Field:
    """A form field for one scalar field; lists and anything else are written as JSON."""
    label = " ".join([field.path[-1], "[ ]" if field.kind == "array" else ""]).strip()
    # What is required is the schema's to say, so that a test event may also break it: the ingest answers.
    said: dict[str, Any] = {"label": label, "required": False, "help_text": _hint(field)}
    if field.choices:
        choices = [("", "–"), *((str(index), str(choice)) for index, choice in enumerate(field.choices))]
        return forms.ChoiceField(choices=choices, **said)
    if field.kind == "boolean":
        return forms.ChoiceField(choices=[("", "–"), ("true", "true"), ("false", "false")], **said)
    if field.kind in ("integer", "number"):
        return forms.CharField(widget=forms.TextInput({"inputmode": "decimal", "class": "mono"}), **said)
    if field.kind == "string":
        kind = {"date": "date", "email": "email"}.get(field.format, "text")
        return forms.CharField(widget=forms.TextInput({"type": kind}), strip=False, **said)
    return forms.CharField(widget=CodeArea({"rows": 4}), **said)


def _hint(field: Field) -> str:
    words = told(field.words) if field.required else _t("%(words)s, optional") % {"words": told(field.words)}
    return f"{words} · {field.meaning}" if field.meaning else words


def _shown(field: Field, value: Any) -> str:
    if field.choices:
        return str(field.choices.index(value)) if value in field.choices else ""
    if field.kind == "string" and isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False)
