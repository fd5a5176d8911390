"""The fields of a schema version: schema, examples, what changed, which of its fields are personal."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django import forms
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog.forms.console import CodeArea, ConsoleFields
from catalog.forms.lists import ExamplesField, PathsField, rows_in
from catalog.registering import assumes_draft
from catalog.schemas.authoring import check_example, check_schema
from catalog.schemas.dialects import DIALECTS, dialect_of
from catalog.schemas.fields import Field, fields_of, rows_of
from catalog.schemas.limits import SCHEMA_BYTES
from catalog.schemas.text import Mistake, NotJson, parse


class ExampleRow(NamedTuple):
    """A further example as the form shows it. `number` counts from 2: the first example has its own field."""

    number: int
    name: str
    area: SafeString
    id: str
    errors: list[str]


class Mark(NamedTuple):
    """A field of the schema, and whether it is marked as personal; `known`: whether the schema has it."""

    path: str
    field: Field | None
    on: bool


def path_of(field: Field) -> str:
    """The path of a field as EventType.personal has it: lines[].name."""
    return "".join("[]" if part == "[]" else f".{part}" for part in field.path).removeprefix(".")


class SchemaFields(ConsoleFields, forms.Form):
    """`schema`, `example` and `examples`, checked against each other, with the line of each mistake."""

    schema = forms.CharField(
        label=_("JSON Schema"),
        max_length=SCHEMA_BYTES,
        widget=CodeArea({"rows": 14}),
        help_text=_(
            "Of the event's data. Draft 4 to 2020-12; 2020-12 when $schema says nothing. At most 256 KiB."
        ),
        error_messages={"required": _("Write a JSON Schema. {} accepts every value.")},
    )
    example = forms.CharField(
        label=_("Example"),
        max_length=SCHEMA_BYTES,
        widget=CodeArea({"rows": 8}),
        help_text=_("Data that fits the schema. It fills the form for test events and the curl line."),
        error_messages={"required": _("Write an example: data of one event, as JSON.")},
    )
    examples = ExamplesField(label=_("Further examples"), required=False)
    personal = PathsField(label=_("Personal data"), required=False)
    notes = forms.CharField(label=_("What changed"), required=False, max_length=255)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row_errors: dict[int, list[Mistake]] = {}

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        schema = data.get("schema")
        if not schema or self._refuse("schema", check_schema(schema)):
            return data
        if data.get("example"):
            self._refuse("example", check_example(schema, data["example"]))
        for at, row in enumerate(data.get("examples") or []):
            if mistakes := check_example(schema, row["data"]):
                self.row_errors[at] = mistakes
                self.add_error(
                    "examples",
                    _t("Example %(number)s: %(why)s") % {"number": at + 2, "why": said(mistakes[0])},
                )
        return data

    def _refuse(self, name: str, mistakes: list[Mistake]) -> bool:
        for mistake in mistakes:
            self.add_problem(name, said(mistake), mistake.line)
        return bool(mistakes)

    @property
    def problems_of_schema(self) -> str:
        """The lines to underline in the schema, JSON for the text area."""
        return self._lines("schema")

    @property
    def problems_of_example(self) -> str:
        """The lines to underline in the example, JSON for the text area."""
        return self._lines("example")

    def _lines(self, name: str) -> str:
        widget = self.fields[name].widget
        return json.dumps(widget.problems if isinstance(widget, CodeArea) else [])

    @property
    def schema_text(self) -> str:
        """The schema as it stands in the form, good or not."""
        return str(self["schema"].value() or "")

    @property
    def draft_assumed(self) -> str:
        """The draft that is assumed because the schema names none; "" when it names one."""
        assumed = assumes_draft(self.schema_text)
        return DIALECTS[assumed].name if assumed else ""

    @property
    def dialect_name(self) -> str:
        """The draft of the schema, "" when that cannot be told."""
        try:
            found = dialect_of(parse(self.schema_text))
        except NotJson:
            return ""
        return DIALECTS[found].name if found else ""

    def example_rows(self) -> list[ExampleRow]:
        """The further examples with their text areas, to be written by a template."""
        value = self["examples"].value()
        rows = []
        kept = -1
        for at, row in enumerate(rows_in(value)):
            kept += bool(row["data"].strip())
            mistakes = self.row_errors.get(kept, []) if row["data"].strip() else []
            rows.append(example_row(at + 2, row["name"], row["data"], mistakes))
        return rows

    def marks(self) -> list[Mark]:
        """The fields of the schema with their personal marks, and the marked ones it does not have."""
        value = self["personal"].value()
        marked = [str(path) for path in value] if isinstance(value, list | tuple) else []
        try:
            fields = rows_of(fields_of(parse(self.schema_text)))
        except NotJson:
            fields = []
        found = [Mark(path, field, path in marked) for field in fields if (path := path_of(field))]
        known = {one.path for one in found}
        return [*found, *(Mark(path, None, True) for path in marked if path not in known)]

    @property
    def marked(self) -> int:
        """How many fields are marked as personal."""
        return sum(one.on for one in self.marks())


def example_row(
    number: int, name: str = "", data: str = "", mistakes: list[Mistake] | None = None
) -> ExampleRow:
    """A row for a further example; `mistakes` are told and underlined."""
    area, identifier = CodeArea({"rows": 5, "id": f"id_example_{number}"}), f"id_example_{number}"
    area.problems = [
        {"line": one.line, "message": said(one)} for one in mistakes or [] if one.line is not None
    ]
    if mistakes:
        area.attrs |= {"aria-invalid": "true", "aria-describedby": f"{identifier}_error"}
    return ExampleRow(
        number, name, area.render("examples", data), identifier, [said(one) for one in mistakes or []]
    )


def said(mistake: Mistake) -> str:
    """A mistake with its line and its place, as the forms tell it."""
    place = f"{mistake.pointer}: " if mistake.pointer else ""
    line = _t("Line %(line)s: ") % {"line": mistake.line} if mistake.line else ""
    return f"{line}{place}{mistake.message}"
