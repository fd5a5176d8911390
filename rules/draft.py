"""A rule or target while somebody writes it: what the editor's form holds, read, checked and written back.

The same reading serves the preview, the save and every press of a button in between, so they cannot disagree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from catalog.facts import facts
from catalog.models import EventType
from rules.conditions import (
    NotRows,
    Row,
    RowError,
    Written,
    from_pattern,
    same,
    to_pattern,
    types_in_words,
    write,
)
from rules.draft_lines import Group, Line, Problem, conditions_in, in_order, rows_in
from rules.engine import Filter, PatternError, TransformError, compile_transform, validate
from rules.engine.cesql import CesqlError, parse_filter
from rules.engine.subscriptions import validate_filters
from rules.fields import Field, fields_of, kinds_of
from rules.filtering import types_of
from rules.models import Rule, Target
from rules.pattern_text import (
    AWS_TYPE,
    TYPE,
    asks_of_type,
    dumped,
    our_path,
    types_in,
    types_key,
    with_types,
    with_value,
)
from rules.sending import Sending, SendingError
from rules.values import parse_values, write_values

TAKES_TYPED = ("add-type", "refresh", "save", "start", "draft")
"""Buttons that take the type being typed: adding it, the enter key, and the ones that save."""


@dataclass
class Draft:
    """The editor's state. `mode`: "rows" or "json"."""

    types: list[str] = field(default_factory=list)
    types_key: str = TYPE
    """What the pattern calls the type: one of TYPE_KEYS."""
    rows: list[Row] = field(default_factory=list)
    mode: str = "rows"
    text: str = ""
    sql: str = ""
    filters_text: str = ""
    sending: Sending = field(default_factory=Sending)
    problems: list[Problem] = field(default_factory=list)
    pattern: dict[str, Any] | None = None
    filters: list[Any] | None = None
    transform: dict[str, Any] | None = None
    sql_valid: bool = True
    notice: str = ""
    fresh: int = -1
    """The row that a button just made, -1 for none: the page puts the caret there."""
    emptied: bool = False
    """The last row was just removed."""
    typed: str = ""
    """A type that is typed and not added."""
    unseen: str = ""
    """A type that was just added and that nothing is known of."""
    _fields: list[Field] | None = None

    @classmethod
    def of(
        cls,
        rule: Rule | None = None,
        target: Target | None = None,
        types: list[str] | None = None,
        subject: str = "",
    ) -> Draft:
        """The draft of what is saved; a new one that listens to `types`, of that subject, when there is nothing yet."""
        rows = [Row("subject", "is", write_values([subject]))] if subject else []
        draft = cls(types=list(types or []), rows=rows)
        if rule is not None:
            draft._show_pattern(rule.pattern)
            draft.sql = rule.sql
            draft.filters_text = dumped(rule.filters) if rule.filters else ""
        if target is not None:
            draft.sending = Sending.of(target.transform)
        return draft.checked()

    @classmethod
    def read(cls, data: QueryDict, trying: bool = False) -> Draft:
        """The draft that a form was sent with, its buttons (add, remove, switch, pick) applied unless it is only `trying`.

        A type that is typed and not added counts when it is saved or added, not while the form is tried.
        """
        draft = cls(
            types=list(dict.fromkeys(name.strip() for name in data.getlist("type") if name.strip())),
            types_key=AWS_TYPE if data.get("types-key") == AWS_TYPE else TYPE,
            rows=rows_in(data),
            mode="json" if data.get("mode") == "json" else "rows",
            text=data.get("pattern", "").replace("\r\n", "\n"),
            sql=data.get("sql", "").strip(),
            filters_text=data.get("filters", "").replace("\r\n", "\n"),
            sending=Sending.read(data),
        )
        if draft.mode == "json":
            draft._types_from_text()
        added = data.get("add_type", "").strip()
        if not trying and "pick" not in data and data.get("do", "save") in TAKES_TYPED:
            draft._add_type(added)
        else:
            draft.typed = added
        if trying:
            # The script sends along which button was pressed last: it is pressed once, not with every try.
            return draft.checked()
        draft._press(data.get("do", ""))
        if picked := data.get("pick"):
            draft._pick(picked)
        return draft.checked()

    def _add_type(self, name: str) -> None:
        if name and name not in self.types:
            self._set_types([*self.types, name])
            known = EventType.objects.filter(name=name).exists() or bool(facts().recent(name, 1))
            self.unseen = "" if known else name

    def _press(self, button: str) -> None:
        verb, _dash, place = button.rpartition("-")
        number = int(place) if place.isdecimal() and len(place) < 6 else -1
        if button == "add-row":
            self._add_row(Row("", "is", ""))
        elif button == "add-group":
            number = 1 + max((int(row.group) for row in self.rows if row.place), default=-1)
            self._add_row(Row("", "is", "", f"{number}.0"))
            self._add_row(Row("", "is", "", f"{number}.1"))
            self.fresh -= 1
        elif verb == "add-alternative" and number >= 0:
            taken = [int(row.place.partition(".")[2]) for row in self.rows if row.group == place]
            self._add_row(Row("", "is", "", f"{number}.{1 + max(taken, default=-1)}"))
        elif verb == "add-also" and any(row.place == place for row in self.rows):
            self._add_row(Row("", "is", "", place))
        elif verb == "drop-row" and 0 <= number < len(self.rows):
            del self.rows[number]
            # To the row that comes after it, else to the one before; without rows the page leads to the button.
            self.fresh = min(number, len(self.rows) - 1)
            self.emptied = not self.rows
        elif verb == "drop-type" and 0 <= number < len(self.types):
            self._set_types([name for at, name in enumerate(self.types) if at != number])
        elif button == "mode-json" and self.mode == "rows":
            self._to_json()
        elif button == "mode-rows" and self.mode == "json":
            self._to_rows()

    def _add_row(self, row: Row) -> None:
        """Puts a row where the page draws it: after the last of its place."""
        self.rows = in_order([*self.rows, row])
        self.fresh = max(at for at, one in enumerate(self.rows) if one.place == row.place)

    def _pick(self, written: str) -> None:
        """Adds the condition that a field has a value, both as JSON {"path", "value"}: pressed in the event."""
        try:
            picked = json.loads(written)
            path, value = str(picked["path"]), picked["value"]
        except (ValueError, TypeError, KeyError):
            return
        if isinstance(value, dict | list) or not path:
            return
        if self.mode == "json":
            self._pick_json(path, value)
            return
        for index, row in enumerate(self.rows):
            if our_path(row.path) == path and row.method == "is" and not row.place:
                kind = kinds_of(self.fields).get(path)
                if value not in parse_values(row.values, kind):
                    values = ", ".join(filter(None, [row.values.strip(), self._value(path, value)]))
                    self.rows[index] = row._replace(values=values)
                self.fresh = index
                return
        asked = next(
            (at for at, one in enumerate(self.rows) if our_path(one.path) == path and not one.place), None
        )
        if asked is not None:
            # A field stands in one row: what it asks for in another way, only the person can join.
            self.fresh = asked
            self.notice = _(
                "There is a condition on %(path)s already. Change that one, or remove it first."
            ) % {"path": path}
            return
        if path == "type" and isinstance(value, str):
            self._set_types(list(dict.fromkeys([*self.types, value])))
            return
        row = Row(path, "null", "") if value is None else Row(path, "is", self._value(path, value))
        empty = next((at for at, one in enumerate(self.rows) if not one.path.strip() and not one.place), None)
        if empty is not None:
            self.rows[empty], self.fresh = row, empty
        else:
            self._add_row(row)

    def _value(self, path: str, value: Any) -> str:
        return write_values([value], plain=kinds_of(self.fields).get(path) == "string")

    def _pick_json(self, path: str, value: Any) -> None:
        try:
            self.text = with_value(self.text, path, value)
        except ValueError as why:
            self.notice = str(why)
        else:
            self._types_from_text()

    def _to_json(self) -> None:
        try:
            pattern = to_pattern(self.types, self.rows, kinds_of(self.fields), self.types_key)
        except RowError as error:
            self.notice = _("Mend this condition first, then it can be shown as JSON.")
            self.problems.append(Problem(f"row-{error.index}", error.message))
            return
        self.mode, self.text = "json", dumped(pattern)

    def _to_rows(self) -> None:
        if validate(self.text):
            self.notice = _("Mend the pattern first, then it can be shown as conditions.")
            return
        try:
            pattern = json.loads(self.text)
            found = self._as_rows(pattern)
        except NotRows as reason:
            self.notice = _("This pattern says more than conditions can show. %(reason)s It stays JSON.") % {
                "reason": reason
            }
            return
        self.mode, self.types_key, (self.types, self.rows) = "rows", types_key(pattern), found

    def _show_pattern(self, pattern: dict[str, Any]) -> None:
        try:
            self.types, self.rows = self._as_rows(pattern)
            self.types_key = types_key(pattern)
        except NotRows as reason:
            self.mode, self.text = "json", dumped(pattern)
            self.notice = _("Shown as JSON: it says more than conditions can show. %(reason)s") % {
                "reason": reason
            }
            self._types_from_text()

    def _as_rows(self, pattern: dict[str, Any]) -> tuple[list[str], list[Row]]:
        """Types and rows that read back as this very pattern. Raises NotRows."""
        found = from_pattern(pattern)
        try:
            again = to_pattern(*found, kinds_of(fields_of(found[0])) if found[1] else {})
        except RowError as error:
            raise NotRows(error.message) from None
        if not same(from_pattern(again), found):
            raise NotRows(_("A value has another type than its field."))
        return found[0], in_order(found[1])

    def _types_from_text(self) -> None:
        self.types = self.types if (found := types_in(self.text)) is None else found

    def _set_types(self, types: list[str]) -> None:
        self.types = types
        if self.mode == "json":
            self.text = with_types(self.text, types)

    @property
    def sampled(self) -> list[str]:
        """The types whose past events it is tried on: all that the pattern could take; empty for every type."""
        return self.types if self.pattern is None else types_of([Filter(self.pattern)])

    @property
    def fields(self) -> list[Field]:
        """The fields that events of these types have, read once."""
        if self._fields is None:
            self._fields = fields_of(self.sampled if self.mode == "json" else self.types)
        return self._fields

    def checked(self) -> Draft:
        """Itself, with `pattern` and `transform` (None where something is wrong) and all `problems`."""
        self.problems = [problem for problem in self.problems if problem.place.startswith("row-")]
        self.pattern = self._read_pattern()
        self.filters = self._read_filters()
        self.sql_valid = self._check_sql()
        self.transform = self._read_transform()
        return self

    @property
    def filter(self) -> Filter | None:
        """The whole filter; None while something is wrong in it."""
        if self.pattern is None or self.filters is None or not self.sql_valid:
            return None
        return Filter(self.pattern, self.sql, self.filters or None)

    def _read_pattern(self) -> dict[str, Any] | None:
        if self.mode == "json":
            wrong = validate(self.text)
            self.problems += [Problem("pattern", one.message, one.line, one.pointer) for one in wrong]
            return None if wrong else json.loads(self.text)
        if self.problems:
            return None
        try:
            written = write(self.types, self.rows, kinds_of(self.fields) if self.rows else {}, self.types_key)
        except RowError as error:
            self.problems.append(Problem(f"row-{error.index}", error.message))
            return None
        wrong = validate(written.pattern)
        self.problems += [_in_row(written, one) for one in wrong]
        return None if wrong else written.pattern

    def _read_filters(self) -> list[Any] | None:
        if not self.filters_text.strip():
            return []
        wrong = validate_filters(self.filters_text)
        self.problems += [Problem("filters", one.message, one.line, one.pointer) for one in wrong]
        return None if wrong else json.loads(self.filters_text)

    def _check_sql(self) -> bool:
        try:
            if self.sql:
                parse_filter(self.sql)
        except CesqlError as error:
            self.problems.append(Problem("sql", error.message, error.line))
            return False
        return True

    def _read_transform(self) -> dict[str, Any] | None:
        try:
            spec = self.sending.spec()
            compile_transform(spec)
        except SendingError as error:
            self.problems.append(Problem(error.place, error.message, error.line))
            return None
        except TransformError as error:
            self.problems.append(Problem(self.sending.kind, error.message, error.line))
            return None
        return spec

    def at(self, place: str) -> list[Problem]:
        """The problems of one place."""
        return [problem for problem in self.problems if problem.place == place]

    @property
    def lines(self) -> list[Line]:
        """Every row with its index and problems."""
        return [Line(index, row, self.at(f"row-{index}")) for index, row in enumerate(self.rows)]

    @property
    def plain_lines(self) -> list[Line]:
        """The rows that must all hold."""
        return [line for line in self.lines if not line.row.place]

    @property
    def groups(self) -> list[Group]:
        """The rows of which one alternative must hold, by group."""
        found: dict[str, dict[str, list[Line]]] = {}
        for line in self.lines:
            if line.row.place:
                found.setdefault(line.row.group, {}).setdefault(line.row.place, []).append(line)
        return [Group(number, list(alternatives.items())) for number, alternatives in found.items()]

    @property
    def wrong(self) -> dict[str, list[Problem]]:
        """The problems by their place."""
        found: dict[str, list[Problem]] = {}
        for problem in self.problems:
            found.setdefault(problem.place, []).append(problem)
        return found

    @property
    def type_words(self) -> str:
        """What it listens to when types are not named one by one; empty when they are."""
        return types_in_words(self.rows) if self.mode == "rows" else ""

    @property
    def by_pattern(self) -> bool:
        """Whether the pattern tells the types in another way than by their names at its top."""
        return not self.types and (
            self.mode == "json" if self.pattern is None else asks_of_type(self.pattern)
        )

    @property
    def conditions(self) -> int:
        """How many conditions there are beside the type."""
        return conditions_in(self.pattern or {}, self.rows if self.mode == "rows" else None) + bool(self.sql)


def _in_row(written: Written, error: PatternError) -> Problem:
    index = written.row_of(error.pointer)
    if index is not None:
        return Problem(f"row-{index}", error.message)
    return Problem("pattern", error.message, None, error.pointer)
