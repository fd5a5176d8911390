"""Where the events of a registered type and its schema disagree, and the draft of a version that would agree."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.discovery import ORIGIN, Looked, looked_at
from catalog.display import words
from catalog.drafts import drafts_of
from catalog.models import Draft, EventType, Observation, SchemaVersion
from catalog.pasted import example_for
from catalog.schemas.authoring import check_example
from catalog.schemas.shape import Drift, drift, propose
from catalog.schemas.shape.paths import sensitive_path
from catalog.schemas.text import NotJson, parse

DAYS = 7
# One look at the list stops after so many types that drift, or so many seconds.
IN_LIST = 25
SECONDS = 0.8
# Of a note of a version, as the form has it.
NOTES = 255
NAMED = 5


@dataclass(frozen=True)
class Drifting:
    """A registered type, the version its events are held against, what was seen of them, and how they differ.

    `version` is None while the type has no schema; then nothing differs.
    """

    type: EventType
    version: SchemaVersion | None
    looked: Looked
    drift: Drift

    @property
    def count(self) -> int:
        """How many differences there are."""
        found = self.drift
        return len(found.undeclared) + len(found.unsent) + len(found.mistyped) + len(found.values)

    @property
    def new_values(self) -> list[Any]:
        """Enumerations with values that came and are not in them."""
        return [one for one in self.drift.values if one.new]

    @property
    def unused_values(self) -> list[Any]:
        """Enumerations with values that never came."""
        return [one for one in self.drift.values if one.unused]

    @property
    def amendable(self) -> bool:
        """Whether a next version could say more: something came that the schema does not allow or name."""
        return bool(self.drift.undeclared or self.drift.mistyped or self.new_values)

    @property
    def summary(self) -> str:
        """`3 fields never declared, 1 of another type`."""
        found = self.drift
        said = [
            (len(found.undeclared), _("%(count)s never declared")),
            (len(found.unsent), _("%(count)s never sent")),
            (len(found.mistyped), _("%(count)s of another type")),
            (len(self.new_values), _("%(count)s with new values")),
            (len(self.unused_values), _("%(count)s with values that never came")),
        ]
        return ", ".join(text % {"count": words.number(number)} for number, text in said if number)


def drifting(event_type: EventType, today: date | None = None, days: int = DAYS) -> Drifting:
    """How the events of the last `days` days, since the version they are held against, differ from it.

    The one answer for the pages and for the news (catalog.following.findings), which looks at a day at a time.
    """
    version = event_type.current
    since = (today or timezone.now().date()) - timedelta(days=days - 1)
    if version is not None:
        since = max(since, version.created_at.date())
    personal = [path for path in event_type.personal if isinstance(path, str)]
    looked = looked_at(event_type.name, since, personal)
    schema: Any = True
    if version is not None:
        try:
            schema = parse(version.schema)
        except NotJson:
            schema = True
    return Drifting(event_type, version, looked, drift(looked.shape, schema))


@dataclass(frozen=True)
class Look:
    """A part of the list: types that drift; how many were looked at before and with it; where the next begins."""

    found: list[Drifting]
    looked_at: int
    next: int | None


def seen_lately() -> QuerySet[Observation, Any]:
    """Registered types that were seen in the last DAYS days, the busiest first: type_name, total."""
    since = timezone.now().date() - timedelta(days=DAYS - 1)
    return (
        Observation.objects.order_by()
        .filter(day__gte=since, type_name__in=EventType.objects.values("name"))
        .values("type_name")
        .annotate(total=Sum("events"))
        .order_by("-total", "type_name")
    )


def look(after: int = 0, clock: Callable[[], float] = time.monotonic, seconds: float = SECONDS) -> Look:
    """The types that drift, from the one at place `after` of `seen_lately` on, for at most `seconds` seconds."""
    names = list(seen_lately().values_list("type_name", flat=True)[after : after + 1000])
    known = {
        one.name: one
        for one in EventType.objects.filter(name__in=names).select_related("domain", "default_version")
    }
    found: list[Drifting] = []
    ends, done = clock() + seconds, 0
    for name in names:
        if len(found) >= IN_LIST or (done and clock() >= ends):
            break
        done += 1
        if name in known and (one := drifting(known[name])).drift:
            found.append(one)
    more = done < len(names) or len(names) == 1000
    return Look(found, after + done, after + done if more else None)


def make_version_draft(found: Drifting, user: Any) -> tuple[Draft | None, bool]:
    """A draft of the next version that takes in what was seen, and whether it is new; None when nothing would change.

    The one that `user` began already is given as it is.
    """
    base = found.type.latest
    if base is None:
        return None, False
    begun = drafts_of(user).filter(event_type=found.type, origin=ORIGIN).first()
    if begun is not None:
        return begun, False
    proposal = propose(found.looked.shape, base=base.schema)
    if proposal.schema == parse(base.schema):
        return None, False
    fitting = [
        row
        for row in [{"name": "", "data": base.example}, *base.examples]
        if isinstance(row, dict) and row.get("data") and not check_example(proposal.text, str(row["data"]))
    ]
    marked = [str(path) for path in found.type.personal]
    content = {
        "schema": proposal.text,
        "example": str(fitting[0]["data"]) if fitting else example_for(proposal.text),
        "examples": fitting[1:],
        "personal": list(
            dict.fromkeys([*marked, *(sensitive_path(one.path) for one in found.looked.suspects)])
        ),
        "notes": _notes(found),
    }
    draft = Draft.objects.create(
        name=found.type.name, event_type=found.type, content=content, origin=ORIGIN, created_by=user
    )
    return draft, True


def _notes(found: Drifting) -> str:
    pointers = [one.pointer for one in found.drift.undeclared]
    said = [_("Taken from %(count)s events.") % {"count": words.number(found.drift.samples)}]
    if pointers:
        named = ", ".join(pointers[:NAMED]) + (" …" if len(pointers) > NAMED else "")
        said.append(_("Declared at last: %(names)s.") % {"names": named})
    return " ".join(said)[:NOTES]
