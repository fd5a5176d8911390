"""What catalog asks the log: rates, recent events, listeners, and to publish. Delivery implements and registers it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple, Protocol

from django.utils.translation import gettext as _


class TypeFacts(NamedTuple):
    """Traffic of one event type. `minutes`: events per minute of the last 60 minutes, oldest first."""

    minutes: list[int]
    day: int
    invalid_day: int
    listeners: int
    last_seen: datetime | None


class RecentEvent(NamedTuple):
    """An event of the log; `raw` is its JSON (CloudEvents 1.0 JSON format) as bytes."""

    seq: int
    id: str
    type: str
    source: str
    subject: str | None
    received_at: datetime
    raw: bytes


class Listener(NamedTuple):
    """A target that gets events of a type. `status` is ok, warn, bad or idle; `word` says the same; `team` keeps the rule."""

    rule_id: int
    rule: str
    target_id: int
    target: str
    status: str
    word: str
    team: str = ""


class BusRule(NamedTuple):
    """A rule that listens on a bus, and the team that keeps it."""

    id: int
    name: str
    team: str


class Totals(NamedTuple):
    """Events in the last 24 hours and in the last minute."""

    day: int
    minute: int


class SourceFacts(NamedTuple):
    """What a source sends. `rate`: events per minute of late; `types`: events per type in the last 24 hours, most first."""

    rate: float
    types: dict[str, int]
    last_seen: datetime | None

    @property
    def day(self) -> int:
        """Events in the last 24 hours."""
        return sum(self.types.values())


class Pulse(NamedTuple):
    """How busy a source is, for a list. `rate`: events per minute of late."""

    rate: float
    last_seen: datetime


class Published(NamedTuple):
    """An event that the log has stored."""

    id: str
    seq: int


class PublishRefused(Exception):
    """The ingest refused an event: `reason` for people, `pointer` (RFC 6901) to the place in it, if one is to blame."""

    def __init__(self, reason: str, pointer: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pointer = pointer


NO_TRAFFIC = TypeFacts(minutes=[0] * 60, day=0, invalid_day=0, listeners=0, last_seen=None)
SILENT = SourceFacts(rate=0.0, types={}, last_seen=None)


# How far back "busy" looks: long enough for a rate, short enough to read for every type at once.
BUSY_MINUTES = 5


class Facts(Protocol):
    """The questions. Each is bounded in time whatever the size of the log."""

    def types(self, names: Iterable[str]) -> dict[str, TypeFacts]:
        """Traffic per event type name; a name without any may be missing."""
        ...

    def recent(self, type_name: str, limit: int) -> list[RecentEvent]:
        """The newest events of a type, newest first."""
        ...

    def listeners(self, type_name: str) -> list[Listener]:
        """The targets that would get an event of this type."""
        ...

    def listened(self, names: Iterable[str], teams: Collection[int] | None = None) -> set[str]:
        """Those of `names` that an enabled rule takes, or one of the rules of `teams` (ids of teams)."""
        ...

    def busy(self) -> dict[str, float]:
        """Events per minute of each type that had any in the last BUSY_MINUTES, over these minutes."""
        ...

    def heard(self) -> set[str]:
        """The names of registered types that had an event in the last 24 hours."""
        ...

    def has_event(self, text: str) -> bool:
        """Whether an event has this id or number, so that a search for a type can lead to it."""
        ...

    def totals(self, own: bool = False) -> Totals:
        """How much crosses all buses; the bus "system" counts only with `own`."""
        ...

    def versions(self, type_name: str) -> dict[int, int]:
        """Events of a type in the last 24 hours by the number of the schema version they were taken for.

        Key 0: events of no version, or of one that does not exist. Versions without events are missing.
        """
        ...

    def versions_by_day(self, type_name: str, days: int = 30) -> dict[int, list[int]]:
        """The same per day (UTC), oldest first; the last one is today. One list of `days` numbers for each version."""
        ...

    def hourly(self, names: Iterable[str], hours: int = 24) -> dict[str, list[int]]:
        """Events per hour of each type, oldest first; the last one is the running hour."""
        ...

    def first_seen(self, source_uri: str) -> datetime | None:
        """When the first event of a source was received, None while there was none. Known within a second."""
        ...

    def per_source(self, source_uri: str) -> SourceFacts:
        """How much a source sends, and of which types."""
        ...

    def pulses(self, source_uris: Iterable[str]) -> dict[str, Pulse]:
        """How busy each of several sources is, a few seconds behind; one that sent nothing is missing."""
        ...

    def rules_on(self, bus: str) -> list[BusRule]:
        """The rules that listen on a bus, by name."""
        ...

    def publish(self, bus: str, body: bytes) -> Published:
        """Sends `body` (one CloudEvent as JSON) through the ingest to `bus`. Raises PublishRefused."""
        ...


class NoFacts:
    """Before delivery has registered: nothing is known and nothing can be published."""

    def types(self, names: Iterable[str]) -> dict[str, TypeFacts]:
        return {}

    def recent(self, type_name: str, limit: int) -> list[RecentEvent]:
        return []

    def listeners(self, type_name: str) -> list[Listener]:
        return []

    def listened(self, names: Iterable[str], teams: Collection[int] | None = None) -> set[str]:
        return set()

    def busy(self) -> dict[str, float]:
        return {}

    def heard(self) -> set[str]:
        return set()

    def has_event(self, text: str) -> bool:
        return False

    def totals(self, own: bool = False) -> Totals:
        return Totals(0, 0)

    def versions(self, type_name: str) -> dict[int, int]:
        return {}

    def versions_by_day(self, type_name: str, days: int = 30) -> dict[int, list[int]]:
        return {}

    def hourly(self, names: Iterable[str], hours: int = 24) -> dict[str, list[int]]:
        return {name: [0] * hours for name in names}

    def first_seen(self, source_uri: str) -> datetime | None:
        return None

    def per_source(self, source_uri: str) -> SourceFacts:
        return SILENT

    def pulses(self, source_uris: Iterable[str]) -> dict[str, Pulse]:
        return {}

    def rules_on(self, bus: str) -> list[BusRule]:
        return []

    def publish(self, bus: str, body: bytes) -> Published:
        raise PublishRefused(_("This process has no ingest. Start Signalbox with its delivery room."))


_facts: Facts = NoFacts()


def register(facts: Facts) -> None:
    """Makes `facts` the answers from now on, in this process."""
    global _facts
    _facts = facts


def facts() -> Facts:
    """Who answers."""
    return _facts
