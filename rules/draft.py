"""A rule or target while somebody writes it: what the editor's form holds, read, checked and written back.

The same reading serves the preview, the save and every press of a button in between, so they cannot disagree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from rules.conditions import Row, RowError, from_pattern, to_pattern, types_in_words
from rules.engine import PatternError, TransformError, compile_transform, validate
from rules.fields import Field, fields_of, kinds_of
from rules.models import Rule, Target


@dataclass(frozen=True)
class Problem:
    """What is wrong and where: `place` is a section of the form ("row-2", "pattern", "template")."""

    place: str
    message: str
    line: int | None = None
    pointer: str = ""

    @property
    def where(self) -> str:
        """The place inside the text, in words."""
        if self.line is not None and self.pointer:
            return _("Line %(line)d, %(pointer)s") % {"line": self.line, "pointer": self.pointer}
        if self.line is not None:
            return _("Line %(line)d") % {"line": self.line}
        return self.pointer


EXAMPLE_TEMPLATE = (
    '{\n  "id": "${id}",\n  "what": "${type}",\n  "about": "${subject}",\n  "data": "${data}"\n}'
)


@dataclass
class Draft:
    """The editor's state. `mode`: "rows" or "json". `send`: "complete" or "template"."""

    types: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    mode: str = "rows"
    text: str = ""
    send: str = "complete"
    template: str = EXAMPLE_TEMPLATE
    variables: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    pattern: dict[str, Any] | None = None
    transform: dict[str, Any] | None = None
    notice: str = ""
    _fields: list[Field] | None = None

    @classmethod
    def of(
        cls, rule: Rule | None = None, target: Target | None = None, types: list[str] | None = None
    ) -> Draft:
        """The draft of what is saved; a new one that listens to `types` when there is nothing yet."""
        draft = cls(types=list(types or []))
        if rule is not None:
            draft._show_pattern(rule.pattern)
        if target is not None:
            draft.send = target.transform.get("kind", "complete")
            draft.template = target.transform.get("template", EXAMPLE_TEMPLATE)
            draft.variables = target.transform.get("variables", {})
        return draft.checked()

    @classmethod
    def read(cls, data: QueryDict, target: Target | None = None) -> Draft:
        """The draft that a form was sent with, its buttons (add, remove, switch) applied."""
        draft = cls(
            types=list(dict.fromkeys(name.strip() for name in data.getlist("type") if name.strip())),
            rows=[
                Row(path, method, values)
                for path, method, values in zip(
                    data.getlist("path"), data.getlist("method"), data.getlist("values"), strict=False
                )
            ],
            mode="json" if data.get("mode") == "json" else "rows",
            text=data.get("pattern", ""),
            send="template" if data.get("send") == "template" else "complete",
            template=data.get("template", EXAMPLE_TEMPLATE).replace("\r\n", "\n"),
            variables=target.transform.get("variables", {}) if target else {},
        )
        if draft.mode == "json":
            draft._types_from_text()
        added = data.get("add_type", "").strip()
        if added and added not in draft.types:
            draft._set_types([*draft.types, added])
        draft._press(data.get("do", ""))
        return draft.checked()

    def _press(self, button: str) -> None:
        verb, _dash, number = button.rpartition("-")
        if button == "add-row":
            self.rows.append(Row("", "is", ""))
        elif verb == "drop-row" and number.isdecimal() and int(number) < len(self.rows):
            del self.rows[int(number)]
        elif verb == "drop-type" and number.isdecimal() and int(number) < len(self.types):
            self._set_types([name for at, name in enumerate(self.types) if at != int(number)])
        elif button == "mode-json" and self.mode == "rows":
            self._to_json()
        elif button == "mode-rows" and self.mode == "json":
            self._to_rows()

    def _to_json(self) -> None:
        try:
            pattern = to_pattern(self.types, self.rows, kinds_of(self.fields))
        except RowError as error:
            self.notice = _("Mend this condition first, then it can be shown as JSON.")
            self.problems.append(Problem(f"row-{error.index}", error.message))
            return
        self.mode, self.text = "json", _dumped(pattern)

    def _to_rows(self) -> None:
        if validate(self.text):
            self.notice = _("Mend the pattern first, then it can be shown as conditions.")
            return
        found = self._as_rows(json.loads(self.text))
        if found is None:
            self.notice = _(
                "This pattern says more than conditions can show: one list uses several methods, or a value has another type than its field. It stays JSON."
            )
            return
        self.mode, (self.types, self.rows) = "rows", found

    def _show_pattern(self, pattern: dict[str, Any]) -> None:
        found = self._as_rows(pattern)
        if found is None:
            self.mode, self.text = "json", _dumped(pattern)
            self._types_from_text()
        else:
            self.types, self.rows = found

    def _as_rows(self, pattern: dict[str, Any]) -> tuple[list[str], list[Row]] | None:
        """Types and rows that read back as this very pattern; None when there are none."""
        found = from_pattern(pattern)
        if found is None:
            return None
        try:
            again = to_pattern(*found, kinds_of(fields_of(found[0])) if found[1] else {})
        except RowError:
            return None
        return found if from_pattern(again) == found else None

    def _types_from_text(self) -> None:
        try:
            listed = json.loads(self.text).get("type", [])
        except (ValueError, AttributeError, RecursionError):
            return
        if isinstance(listed, list):
            self.types = [name for name in listed if isinstance(name, str)]

    def _set_types(self, types: list[str]) -> None:
        self.types = types
        if self.mode != "json" or validate(self.text):
            return
        pattern = json.loads(self.text)
        other = [value for value in pattern.get("type", []) if not isinstance(value, str)]
        pattern.pop("type", None)
        self.text = _dumped(({"type": [*types, *other]} if types or other else {}) | pattern)

    @property
    def fields(self) -> list[Field]:
        """The fields that events of these types have, read once."""
        if self._fields is None:
            self._fields = fields_of(self.types)
        return self._fields

    def checked(self) -> Draft:
        """Itself, with `pattern` and `transform` (None where something is wrong) and all `problems`."""
        kept = [problem for problem in self.problems if problem.place.startswith("row-")]
        self.problems = kept
        self.pattern = self._read_pattern()
        self.transform = self._read_transform()
        return self

    def _read_pattern(self) -> dict[str, Any] | None:
        if self.mode == "json":
            wrong = validate(self.text)
            self.problems += [Problem("pattern", one.message, one.line, one.pointer) for one in wrong]
            return None if wrong else json.loads(self.text)
        if self.problems:
            return None
        try:
            pattern = to_pattern(self.types, self.rows, kinds_of(self.fields) if self.rows else {})
        except RowError as error:
            self.problems.append(Problem(f"row-{error.index}", error.message))
            return None
        wrong = validate(pattern)
        self.problems += [self._in_row(one) for one in wrong]
        return None if wrong else pattern

    def _in_row(self, error: PatternError) -> Problem:
        path = ".".join(step for step in error.pointer.strip("/").split("/") if not step.isdecimal())
        for index, row in enumerate(self.rows):
            if row.path.strip() == path:
                return Problem(f"row-{index}", error.message)
        return Problem("pattern", error.message, None, error.pointer)

    def _read_transform(self) -> dict[str, Any] | None:
        spec: dict[str, Any] = {"kind": self.send}
        if self.send == "template":
            spec["template"] = self.template
            if self.variables:
                spec["variables"] = self.variables
        try:
            compile_transform(spec)
        except TransformError as error:
            self.problems.append(Problem("template", error.message, error.line))
            return None
        return spec

    def at(self, place: str) -> list[Problem]:
        """The problems of one place."""
        return [problem for problem in self.problems if problem.place == place]

    @property
    def lines(self) -> list[tuple[int, Row, list[Problem]]]:
        """Index, row and problems, for the template."""
        return [(index, row, self.at(f"row-{index}")) for index, row in enumerate(self.rows)]

    @property
    def pattern_problems(self) -> list[Problem]:
        """What is wrong in the pattern's JSON."""
        return self.at("pattern")

    @property
    def template_problems(self) -> list[Problem]:
        """What is wrong in the template."""
        return self.at("template")

    @property
    def type_words(self) -> str:
        """What it listens to when types are not named one by one; empty when they are."""
        return types_in_words(self.rows) if self.mode == "rows" else ""

    @property
    def conditions(self) -> int:
        """How many conditions there are beside the type."""
        if self.mode == "rows":
            return sum(bool(row.path.strip()) for row in self.rows)
        found = from_pattern(self.pattern) if self.pattern else None
        return len(found[1]) if found else sum(name != "type" for name in self.pattern or {})


def without_row(draft: Draft, index: int) -> Draft:
    """The draft with one row alone, to count what that row lets pass."""
    return replace(draft, rows=[draft.rows[index]], problems=[]).checked()


def _dumped(pattern: dict[str, Any]) -> str:
    return json.dumps(pattern, indent=2, ensure_ascii=False)
