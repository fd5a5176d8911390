"""Personal data in what pages show of real events: who may see it, and how it is hidden from everybody else."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from catalog.display.json_text import Number, Pairs, parse
from catalog.models import Approval, EventType
from catalog.schemas.shape.paths import Marks, at_entry, at_member, marks_of

MASK = "••••"


class Hidden(NamedTuple):
    """JSON text in which personal values stand as MASK, and how many of them there were."""

    text: str
    fields: int


def may_see(user: Any, event_type: EventType) -> bool:
    """Whether `user` may see the personal fields of real events of a type.

    The members of the owning team may, those of teams whose request was granted, and staff.
    """
    return not hidden_from(user, [event_type.name])


def hidden_from(user: Any, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Of the event types called `names` those with personal fields that `user` may not see, with these fields' paths.

    `user` may be a program that came with a token: it sees what the token's team may.
    """
    if getattr(user, "is_superuser", False) or getattr(user, "is_staff", False):
        return {}
    marked = list(
        EventType.objects.filter(name__in=set(names)).exclude(personal=[]).only("name", "personal", "team_id")
    )
    if not marked:
        return {}
    teams = _teams_of(user)
    granted = set(
        Approval.objects.filter(event_type__in=marked, team__in=teams, state=Approval.State.GRANTED)
        .order_by()
        .values_list("event_type_id", flat=True)
    )
    return {
        one.name: tuple(path for path in one.personal if isinstance(path, str))
        for one in marked
        if one.team_id not in teams and one.pk not in granted
    }


def _teams_of(user: Any) -> set[int]:
    token = getattr(user, "token", None)
    if token is not None:
        return {token.team_id}
    return set(user.teams.values_list("pk", flat=True)) if user.is_authenticated else set()


def pointers(paths: Iterable[str]) -> list[str]:
    """Paths as owners write them (`customer.email`, `lines[].name`) as JSON pointers with "[]" for any entry."""
    return [_pointer(path) for path in paths]


def _pointer(path: str) -> str:
    if not path or path.startswith("/"):
        return path
    parts = path.replace("[]", ".[]").split(".")
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts if part)


def hide(event: bytes | str, paths: Collection[str]) -> Hidden:
    """A CloudEvent (JSON) with the values at `paths` of its data hidden; numbers and order stay as written.

    Names count in any case and without punctuation, because what does not fit its schema is often written otherwise.
    Data that is no object and no list is hidden as a whole, encoded data too: what it holds cannot be told.
    """
    text = event.decode("utf-8", "replace") if isinstance(event, bytes) else event
    if not paths:
        return Hidden(text, 0)
    try:
        value = parse(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, Pairs):
        return Hidden(json.dumps(MASK, ensure_ascii=False), 1)
    walk = _Walk()
    marks = _bare_marks(paths)
    members = Pairs()
    for name, member in value:
        if name == "data":
            # An object is a list of pairs.
            whole = member is not None and not isinstance(member, list)
            members.append((name, walk.mask() if whole else walk.hidden(member, marks)))
        else:
            members.append((name, walk.mask() if name == "data_base64" else member))
    return Hidden(_written(members), walk.fields)


def hide_data(data: str, paths: Collection[str]) -> str:
    """The same for JSON text of data alone."""
    if not paths or not data:
        return data
    text = hide(f'{{"data": {data}}}', paths).text
    return text.removeprefix('{"data": ').removesuffix("}") if text.startswith("{") else text


def shown_to(user: Any, type_name: str, event: bytes | str) -> Hidden:
    """A real event (CloudEvents JSON) as `user` may see it."""
    return hide(event, hidden_from(user, [type_name]).get(type_name, ()))


def counts_as_personal(path: Iterable[str], paths: Iterable[str]) -> bool:
    """Whether the field at `path` (member names, "[]" for entries) is personal, or lies within something that is."""
    marks = marks_of(pointers(paths))
    for part in path:
        if () in marks:
            return True
        marks = at_entry(marks) if part in ("[]", "{}") else at_member(marks, part)
    return () in marks


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _bare_marks(paths: Iterable[str]) -> Marks:
    special = ("[]", "{}", "*")
    return frozenset(
        tuple(part if part in special or part.isdigit() else _bare(part) for part in path)
        for path in marks_of(pointers(paths))
    )


class _Walk:
    """Hides, and counts what it hid."""

    def __init__(self) -> None:
        self.fields = 0

    def mask(self) -> str:
        self.fields += 1
        return MASK

    def hidden(self, value: Any, marks: Marks) -> Any:
        if () in marks:
            return self.mask()
        if not marks:
            return value
        if isinstance(value, Pairs):
            return Pairs((name, self.hidden(member, at_member(marks, _bare(name)))) for name, member in value)
        if isinstance(value, list):
            return [self.hidden(entry, at_entry(marks)) for entry in value]
        return value


def _written(value: Any) -> str:
    """What `parse` read, as JSON text again."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Pairs):
        members = (f"{json.dumps(name, ensure_ascii=False)}: {_written(member)}" for name, member in value)
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)


def of_types(user: Any, events: Iterable[tuple[str, bytes]]) -> list[bytes]:
    """Real events, as pairs of type and CloudEvents JSON, as `user` may see them; a handful of queries for all."""
    pairs = list(events)
    hidden: Mapping[str, tuple[str, ...]] = hidden_from(user, {name for name, _raw in pairs})
    return [hide(raw, hidden[name]).text.encode() if name in hidden else raw for name, raw in pairs]
