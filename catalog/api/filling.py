"""The console's forms, filled from JSON: the API checks what the forms check, says what they say, and saves what they save.

A form's fields are the members of a request: what is a choice of rows there is a name here (the slug of a team, a domain
or a source; the name of a bus), and a list is a list. `members` tells them as a JSON Schema, so that the documentation
cannot differ from the form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import BaseForm
from django.utils.translation import gettext as _

from catalog.api.asking import Members, pointer
from catalog.api.problem import Invalid, Place
from catalog.forms.console import CodeArea
from catalog.forms.lists import ExamplesField, PathsField, TagsField
from catalog.models import Bus
from catalog.schemas.authoring import check_example, check_schema
from catalog.schemas.text import Mistake

if TYPE_CHECKING:  # At run time ModelForm takes no parameters.
    Form = type[forms.Form] | type[forms.ModelForm[Any]]

_TEXTS = {"type": "array", "items": {"type": "string"}}
_ANY_JSON = "Any JSON, as it is, or its text in a string. Lines of mistakes count within it."


def members(form: Form, without: Iterable[str] = (), given: bool = True) -> dict[str, Any]:
    """The JSON Schema of a request that fills `form`. `given`: whether members that the form requires are required."""
    fields = {name: one for name, one in form.base_fields.items() if name not in set(without)}
    needed = [name for name, one in fields.items() if one.required and one.initial is None]
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: _member(one) for name, one in fields.items()},
        "additionalProperties": False,
    }
    if given and needed:
        found["required"] = needed
    return found


def _member(field: forms.Field) -> dict[str, Any]:
    found = {**_kind(field), "title": str(field.label or "")}
    words = " ".join(part for part in (str(found.get("description", "")), str(field.help_text)) if part)
    if words:
        found["description"] = words
    return {name: value for name, value in found.items() if value != ""}


def _kind(field: forms.Field) -> dict[str, Any]:
    if isinstance(field, TagsField | PathsField):
        return dict(_TEXTS)
    if isinstance(field, ExamplesField):
        row = {
            "type": "object",
            "properties": {"name": {"type": "string"}, "data": {"description": _ANY_JSON}},
            "required": ["data"],
            "additionalProperties": False,
        }
        return {"type": "array", "items": row}
    if isinstance(field, forms.ModelMultipleChoiceField):
        return {**_TEXTS, "description": "Slugs."}
    if isinstance(field, forms.ModelChoiceField):
        named = "A name." if _key(field) == "name" else "A slug."
        return {"type": ["string", "null"], "description": named}
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return {"type": "string", "enum": [str(value) for value, _label in choices if value]}
    if isinstance(field, forms.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, forms.IntegerField):
        limits = {"minimum": field.min_value, "maximum": field.max_value}
        return {"type": "integer", **{name: value for name, value in limits.items() if value is not None}}
    if isinstance(field.widget, CodeArea):
        return {"description": _ANY_JSON}
    if isinstance(field, forms.DateField):
        return {"type": ["string", "null"], "format": "date"}
    length = getattr(field, "max_length", None)
    return {"type": "string", **({"maxLength": length} if length else {})}


def _key(field: forms.ModelChoiceField[Any]) -> str:
    """By what rows of a choice are named in the API."""
    return "name" if field.queryset is not None and field.queryset.model is Bus else "slug"


def content(asked: Members, fields: Mapping[str, forms.Field]) -> dict[str, Any]:
    """What was sent of `fields`, as the form's data and as Draft.content has it; notes, and leaves out, what is of
    another kind."""
    found = {name: _content(asked, name, field) for name, field in fields.items() if name in asked}
    return {name: value for name, value in found.items() if value is not None}


def _content(asked: Members, name: str, field: forms.Field) -> Any:
    if isinstance(field.widget, CodeArea):
        return asked.document(name)
    value = asked.value(name)
    read = _reader(field)
    if value is None and not isinstance(field, forms.BooleanField | ExamplesField | TagsField | PathsField):
        return [] if isinstance(field, forms.ModelMultipleChoiceField) else ""
    try:
        return read(value)
    except _Wrong as wrong:
        asked.wrong(pointer(name, *wrong.steps), str(wrong))
        return None


class _Wrong(ValueError):
    def __init__(self, said: str, *steps: str | int) -> None:
        super().__init__(said)
        self.steps = steps


def _reader(field: forms.Field) -> Callable[[Any], Any]:
    if isinstance(field, TagsField):
        return lambda value: ", ".join(_tags(value))
    if isinstance(field, PathsField):
        return _texts
    if isinstance(field, ExamplesField):
        return _examples
    if isinstance(field, forms.ModelMultipleChoiceField):
        return lambda value: [_row(field, one, at) for at, one in enumerate(_texts(value))]
    if isinstance(field, forms.ModelChoiceField):
        return lambda value: _row(field, _text(value))
    if isinstance(field, forms.BooleanField):
        return lambda value: _of_kind(value, bool, _("This is true or false."))
    if isinstance(field, forms.IntegerField):
        return lambda value: str(_of_kind(value, int, _("This is a whole number.")))
    return _text


def _of_kind(value: Any, kind: type, said: str) -> Any:
    if type(value) is not kind:
        raise _Wrong(said)
    return value


def _text(value: Any) -> str:
    text = str(_of_kind(value, str, _("This is a text.")))
    if "\0" in text:
        raise _Wrong(_("This holds a character that no text has."))
    return text


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise _Wrong(_("This is a list of texts."))
    for at, one in enumerate(value):
        if not isinstance(one, str) or "\0" in one:
            raise _Wrong(_("This is a text."), at)
    return value


def _tags(value: Any) -> list[str]:
    tags = _texts(value)
    for at, tag in enumerate(tags):
        if "," in tag:
            raise _Wrong(_("A tag has no comma. Send two tags."), at)
    return tags


def _examples(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list):
        raise _Wrong(_('This is a list of examples, each as {"name": "…", "data": …}.'))
    rows = []
    for at, one in enumerate(value):
        if not isinstance(one, dict) or "data" not in one or set(one) - {"name", "data"}:
            raise _Wrong(_('An example is written {"name": "…", "data": …}.'), at)
        if not isinstance(one.get("name", ""), str):
            raise _Wrong(_("This is a text."), at, "name")
        data = one["data"]
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, indent=2)
        rows.append({"name": one.get("name", ""), "data": text})
    return rows


def _row(field: forms.ModelChoiceField[Any], name: str, *steps: int) -> Any:
    rows = field.queryset
    assert rows is not None
    found = rows.filter(**{_key(field): name}).values_list("pk", flat=True).first()
    if found is None:
        kind = rows.model._meta.verbose_name
        raise _Wrong(
            _("There is no %(kind)s “%(name)s”, or it is retired.") % {"kind": kind, "name": name[:80]},
            *steps,
        )
    return found


def initial(fields: Mapping[str, forms.Field]) -> dict[str, Any]:
    """What the fields hold in a form that nobody has touched."""
    return {name: one.initial for name, one in fields.items() if one.initial is not None}


def stored(form: BaseForm) -> dict[str, Any]:
    """The data that an unbound form shows, as if somebody had sent it off unchanged."""
    return {
        name: field.prepare_value(form.get_initial_for_field(field, name))
        for name, field in form.fields.items()
    }


def check_disabled(asked: Members, form: BaseForm, said: str) -> None:
    """Notes `said` for every member that this form does not let its user change."""
    for name, field in form.fields.items():
        if field.disabled and name in asked:
            asked.wrong(pointer(name), said)


def check(asked: Members, form: BaseForm, **extra: Any) -> None:
    """Raises Invalid with what was noted and what the form says, each at its place; mistakes in JSON with their lines."""
    if form.is_valid() and not asked.problems:
        return
    known = {place.pointer for place in asked.problems}
    for name, errors in form.errors.items():
        if pointer(name) in known or any(one.startswith(pointer(name) + "/") for one in known):
            continue  # What could not be read is told already.
        mistakes = _mistakes(form, name)
        for where, mistake in mistakes:
            asked.wrong(where + (mistake.pointer or ""), mistake.message, mistake.line, mistake.column)
        if name == NON_FIELD_ERRORS:
            # What is said of the whole comes first: the problem's own sentence is made of it.
            asked.problems[:0] = [Place(str(error), "") for error in errors]
        elif not mistakes:
            for error in errors:
                asked.wrong(pointer(name), str(error))
    raise Invalid(*asked.problems, **extra)


def _mistakes(form: BaseForm, name: str) -> list[tuple[str, Mistake]]:
    """The mistakes in the JSON of a field and where it stands; empty when the field's errors are of another kind."""
    schema = str(form.data.get("schema") or "")
    if name == "schema" and (text := form.data.get("schema")):
        return [("/schema", one) for one in check_schema(text)]
    if name == "example" and (text := form.data.get("example")):
        return [("/example", one) for one in check_example(schema, text)]
    if name == "examples":
        rows = form.data.get("examples") or []
        return [
            (pointer("examples", at, "data"), one)
            for at, row in enumerate(rows)
            for one in check_example(schema, row["data"])
        ]
    return []


def fields_of(form: Form, without: Iterable[str] = ()) -> dict[str, forms.Field]:
    """The fields of a form by name."""
    return {name: one for name, one in form.base_fields.items() if name not in set(without)}


def refused(detail: str, at: str = "") -> Invalid:
    """One problem at `at`, to be raised."""
    return Invalid(Place(detail, at))
