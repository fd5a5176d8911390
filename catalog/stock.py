"""What the catalog has, by name: the whole of it, read once per change. Reading 10,000 rows takes longer than a search."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.changes import OWN
from catalog.models import EventType, Lifecycle, Stamp
from catalog.stamps import CATALOG


@dataclass(frozen=True)
class Stock:
    """Per name of an event type its id and its age; which of them end; `own` tell of Signalbox itself, `others` do not."""

    ids: dict[str, int]
    created: dict[str, datetime]
    ending: frozenset[str]
    own: frozenset[str]
    others: frozenset[str]

    def names(self, own: bool) -> Set[str]:
        """All names, or those of what does not tell of Signalbox itself."""
        return self.ids.keys() if own else self.others

    @property
    def own_ids(self) -> list[int]:
        """The ids of what tells of Signalbox itself: a handful."""
        return [self.ids[name] for name in self.own]


_known: tuple[Any, Stock] = (None, Stock({}, {}, frozenset(), frozenset(), frozenset()))


def stock() -> Stock:
    """What there is now. The same object until the catalog changes; three short queries then."""
    global _known
    stamp = Stamp.objects.filter(name=CATALOG).values_list("version", flat=True).first()
    # Not the stamp alone: a database that was restored or rolled back counts on from an earlier one.
    newest = EventType.objects.order_by("-pk").values_list("pk", "created_at").first()
    seal = (stamp, EventType.objects.count(), newest)
    if _known[0] != seal:
        _known = (seal, _read())
    return _known[1]


def _read() -> Stock:
    rows = list(
        EventType.objects.order_by().values_list("pk", "name", "created_at", "lifecycle", "team__slug")
    )
    ended = {Lifecycle.DEPRECATED, Lifecycle.RETIRED}
    own = frozenset(name for _, name, *_, team in rows if team == OWN)
    return Stock(
        {name: pk for pk, name, *_ in rows},
        {name: created for _, name, created, *_ in rows},
        frozenset(name for _, name, _, state, _ in rows if state in ended),
        own,
        frozenset(name for _, name, *_ in rows) - own,
    )
