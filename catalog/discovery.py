"""What traffic shows that nobody registered: the types, their proposed schemas, and drafts made of them.

Reads Observation rows. Nothing here registers anything: a draft is for a person to finish.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Count, Exists, Max, Min, OuterRef, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.changes import RESERVED
from catalog.display import words
from catalog.drafts import drafts_of
from catalog.languages.telling import told
from catalog.models import Bus, Draft, EventType, Ignored, Observation, Source, Stamp
from catalog.near_names import Names
from catalog.pasted import example_for
from catalog.schemas.shape import Proposal, Row, Shape, StoredShapeUnreadable, Suspect, guarded, propose, seen
from catalog.schemas.shape.maps import read
from catalog.schemas.shape.paths import ENTRY, sensitive_path, sensitive_pointer
from catalog.stamps import CATALOG

ORIGIN = "discovery"
# What a note quotes of an event.
_QUOTED = re.compile(r"^always “.*”", re.DOTALL)
# Days, sources and buses of one type that are put together; each is at most 64 KiB of text.
SHAPES = 30
# Sources and buses that are listed of one type.
LISTED = 50


def strangers(ignored: bool = False, query: str = "") -> QuerySet[Observation, Any]:
    """Unregistered types, a dict for each: type_name, total, first, last; the busiest first.

    `ignored`: those that discovery no longer proposes, instead of all others. `query`: part of the name.
    """
    found = Observation.objects.order_by().filter(
        ~Exists(EventType.objects.filter(name=OuterRef("type_name"))),
        Exists(Ignored.objects.filter(type_name=OuterRef("type_name")))
        if ignored
        else ~Exists(Ignored.objects.filter(type_name=OuterRef("type_name"))),
    )
    if query:
        found = found.filter(type_name__icontains=query)
    return (
        found.values("type_name")
        .annotate(total=Sum("events"), first=Min("first_at"), last=Max("last_at"))
        .order_by("-total", "type_name")
    )


def count() -> int:
    """How many unregistered types are proposed."""
    return int(
        Observation.objects.order_by()
        .filter(
            ~Exists(EventType.objects.filter(name=OuterRef("type_name"))),
            ~Exists(Ignored.objects.filter(type_name=OuterRef("type_name"))),
        )
        .aggregate(types=Count("type_name", distinct=True))["types"]
    )


def registered_names() -> Names:
    """The names of all registered types, to find those that an unregistered one may be a slip of the pen of."""
    version = Stamp.objects.filter(name=CATALOG).values_list("version", flat=True).first() or 0
    return _names(version)


@lru_cache(maxsize=1)
def _names(version: int) -> Names:
    return Names(EventType.objects.values_list("name", flat=True))


class Places(NamedTuple):
    """From where a type came: source texts and bus names."""

    sources: list[str]
    buses: list[str]


def places(names: Sequence[str]) -> dict[str, Places]:
    """The sources and buses of each of these types, at most LISTED of each; a source of "" stands for many more."""
    found: dict[str, Places] = {name: Places([], []) for name in names}
    pairs = Observation.objects.filter(type_name__in=names).order_by("type_name", "source", "bus")
    for name, source, bus in pairs.values_list("type_name", "source", "bus").distinct():
        for known, one in zip(found[name], (source, bus), strict=True):
            if one not in known and len(known) < LISTED:
                known.append(one)
    return found


class Looked(NamedTuple):
    """What was seen of a type, with counts alone where it looks personal, and which paths these are."""

    shape: Shape
    suspects: tuple[Suspect, ...]


def looked_at(type_name: str, since: date | None = None, personal: Sequence[str] = ()) -> Looked:
    """The shapes of the newest SHAPES days, sources and buses of a type as one. `personal`: paths as EventType has them."""
    whole = Shape([sensitive_pointer(path) for path in personal])
    rows = Observation.objects.filter(type_name=type_name).order_by("-day", "-last_at")
    if since is not None:
        rows = rows.filter(day__gte=since)
    for text in rows.values_list("shape", flat=True)[:SHAPES]:
        try:
            whole.merge(Shape.from_json(text))
        except StoredShapeUnreadable:
            continue
    return Looked(*guarded(whole))


class Told(NamedTuple):
    """A path of what was seen: its row, what is to be said of it, and why it looks personal ("" when it does not)."""

    row: Row
    notes: list[str]
    personal: str

    @property
    def name(self) -> str:
        """`total`; `lines[ ]` for an array's entries, `{ }` for a map's."""
        named = [part for part in self.row.path if part != ENTRY]
        return "".join([named[-1] if named else "data", "[ ]" if self.row.path[-1:] == (ENTRY,) else ""])

    @property
    def kinds(self) -> str:
        """The JSON types, the most frequent first."""
        return " | ".join(kind for kind, _share in self.row.kinds)


@dataclass(frozen=True)
class Stranger:
    """All that a person is told of one unregistered type; values of its events are nowhere in it."""

    name: str
    total: int
    first: datetime
    last: datetime
    places: Places
    looked: Looked
    proposal: Proposal

    @property
    def near(self) -> tuple[str, ...]:
        """Registered names it may be a typo of."""
        return registered_names().near(self.name)

    @property
    def about_all(self) -> list[str]:
        """Notes about the data as a whole."""
        return [told(note.sentence) for note in self.proposal.notes if not note.pointer]

    @property
    def rows(self) -> list[Told]:
        """What was seen, path by path, in reading order."""
        notes: dict[str, list[str]] = {}
        for note in self.proposal.notes:
            notes.setdefault(note.pointer, []).append(_unquoted(note.sentence))
        why = {one.path: one.why for one in self.looked.suspects}
        return [
            Told(row, notes.get(row.pointer, []), told(why.get(row.path, "")))
            for row in seen(self.looked.shape)
            if row.path
        ]


def _unquoted(sentence: str) -> str:
    """What a note says, without the value of an event."""
    text = told(sentence)
    if not _QUOTED.match(sentence):
        return text
    _value, quote, rest = text.rpartition("”")
    return _("always the same") + (rest if quote else "")


def stranger(name: str) -> Stranger | None:
    """An unregistered type that was seen, None when it was not or is registered."""
    if EventType.objects.filter(name=name).exists():
        return None
    totals = Observation.objects.filter(type_name=name).aggregate(
        total=Sum("events"), first=Min("first_at"), last=Max("last_at")
    )
    if totals["total"] is None:
        return None
    looked = looked_at(name)
    return Stranger(
        name, **totals, places=places([name])[name], looked=looked, proposal=propose(looked.shape)
    )


def make_draft(found: Stranger, user: Any) -> tuple[Draft, bool]:
    """A draft of the registration, and whether it is new: the one that `user` began already is given as it is."""
    begun = drafts_of(user).filter(name=found.name, origin=ORIGIN, event_type=None).first()
    if begun is not None:
        return begun, False
    sources = list(Source.objects.filter(uri__in=found.places.sources, retired_at=None).order_by("pk"))
    teams = {source.team_id for source in sources}
    domains = set(
        EventType.objects.filter(sources__in=sources).values_list("domain", flat=True).distinct()[:2]
    )
    content = {
        "name": found.name,
        "summary": "",
        "docs": "",
        "tags": "",
        "domain": str(domains.pop()) if len(domains) == 1 else "",
        "team": str(teams.pop()) if len(teams) == 1 else "",
        "sources": [source.pk for source in sources],
        "schema": found.proposal.text,
        "example": example_for(found.proposal.text),
        "examples": [],
        "personal": [sensitive_path(one.path) for one in found.looked.suspects],
        # Whoever publishes already must not be refused because of a guess.
        "validation": EventType.Validation.WARN.value,
        "notes": _proposed_from(found.proposal.samples, found.first),
    }
    draft = Draft.objects.create(name=found.name, content=content, origin=ORIGIN, created_by=user)
    return draft, True


def _proposed_from(samples: int, first: datetime) -> str:
    sentence = ngettext(
        "Proposed from %(count)s event seen since %(day)s.",
        "Proposed from %(count)s events seen since %(day)s.",
        samples,
    )
    return sentence % {"count": words.number(samples), "day": f"{first:%Y-%m-%d}"}


def ignore(name: str, user: Any) -> None:
    """Proposes the type no longer; what comes of it is still counted."""
    Ignored.objects.get_or_create(type_name=name, defaults={"by": user})


def propose_again(name: str) -> None:
    """Takes `ignore` back."""
    Ignored.objects.filter(type_name=name).delete()


def fields_said(shape: Shape, most: int = 4) -> str:
    """`12 fields: order_id, total, …`, "" when there are none."""
    objects = shape.root.objects
    if objects is None:
        return ""
    fields = read(objects).fields
    found = sorted(fields, key=lambda name: (-fields[name].count, name))
    if not found:
        return ""
    named = ", ".join(found[:most]) + (", …" if len(found) > most else "")
    sentence = ngettext("%(count)s field: %(names)s", "%(count)s fields: %(names)s", len(found))
    return sentence % {"count": len(found), "names": named}


def newest_shape(name: str) -> Shape:
    """The shape of a type's newest day alone: what a list needs."""
    rows = Observation.objects.filter(type_name=name).order_by("-day", "-last_at")
    text = rows.values_list("shape", flat=True).first()
    try:
        return Shape.from_json(text) if text is not None else Shape()
    except StoredShapeUnreadable:
        return Shape()


def bus_policies() -> list[dict[str, Any]]:
    """Each bus in use that others publish on, with what it does with events of unregistered types: name, accepts."""
    return [
        {"name": bus.name, "accepts": bus.unregistered == Bus.Unregistered.ACCEPT}
        for bus in Bus.objects.filter(retired_at=None).exclude(name__in=RESERVED)
    ]
