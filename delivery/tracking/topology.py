"""Who tells whom: sources, event types, rules and where they deliver, and how much flows between them right now.

What is registered is read anew only when it has changed; what flows is read each time, from the rollups.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Count, Max

from catalog.facts import BUSY_MINUTES
from catalog.models import Bus, Domain, EventType, Lifecycle, Source, Stamp
from delivery.tracking import rates, status
from delivery.tracking.facts import log_facts
from delivery.tracking.read import MINUTE, now, rows
from delivery.tracking.sources import SLOT
from delivery.tracking.status import Status
from delivery.tracking.waiting import Waiting
from delivery.tracking.words import State
from rules.models import Rule, Target

Takers = Callable[[Iterable[str]], Mapping[str, tuple[int, ...]]]


class Emitter(NamedTuple):
    """A source. `slug` is "" for one that sends without being registered; `team` and `bus` are names."""

    uri: str
    slug: str
    name: str
    bus: str
    bus_id: int
    team: str


class Taker(NamedTuple):
    """A rule that listens. `kept_days`: how long its bus keeps events."""

    pk: int
    name: str
    bus_id: int
    team: str
    kept_days: int
    targets: tuple[int, ...]


class Place(NamedTuple):
    """Where rules deliver: targets of one name, connector and config are one place. `key`: the first of their ids."""

    key: int
    name: str
    connector: str
    targets: tuple[int, ...]
    rules: tuple[int, ...]


class Received(NamedTuple):
    """An event type right now: events per minute, the share that did not fit the schema, the buses they came on."""

    rate: float
    invalid: float
    buses: frozenset[int]


class Delivering(NamedTuple):
    """A target right now: events per minute that it took, tried again and gave up, and how it is."""

    delivered: float
    retried: float
    dead: float
    status: Status


STILL = Received(0.0, 0.0, frozenset())


@dataclass(frozen=True)
class Registered:
    """What is registered, without retired types and rules that do not listen.

    `types`: name → id of its domain.  `emitters`: type → URIs of its sources.  `takers`: type → ids of the rules that
    could take it.  `place_of`, `rule_of`: target → key of its place, its rule.
    """

    buses: frozenset[int]
    domains: Mapping[int, Domain]
    types: Mapping[str, int]
    emitters: Mapping[str, tuple[str, ...]]
    takers: Mapping[str, tuple[int, ...]]
    sources: Mapping[str, Emitter]
    rules: Mapping[int, Taker]
    places: Mapping[int, Place]
    place_of: Mapping[int, int]
    rule_of: Mapping[int, int]


@dataclass(frozen=True)
class Topology:
    """What is registered, and what flows, registered or not.

    `types`: name → id of its domain, None for one that is not registered.  `sources`, `emitters` and `takers`: as in
    Registered.  `shares`: (URI, type) → the part of the type's events that comes from there, 0 to 1.
    """

    registered: Registered
    types: Mapping[str, int | None]
    sources: Mapping[str, Emitter]
    emitters: Mapping[str, tuple[str, ...]]
    takers: Mapping[str, tuple[int, ...]]
    received: Mapping[str, Received]
    shares: Mapping[tuple[str, str], float]
    delivering: Mapping[int, Delivering]

    def rate(self, name: str) -> float:
        """Events of that type per minute."""
        return self.received.get(name, STILL).rate

    def passed(self, targets: Iterable[int]) -> float:
        """Events per minute that the busiest of these targets has brought to an end: taken, or given up."""
        found = (self.delivering[one] for one in targets if one in self.delivering)
        return max((one.delivered + one.dead for one in found), default=0.0)


class Reader:
    """Reads topologies; remembers what is registered. Safe to use from several threads."""

    def __init__(self, takers: Takers) -> None:
        self._takers = takers
        self._lock = threading.Lock()
        self._known: tuple[Any, Registered] | None = None

    def read(self, at: int | None = None) -> Topology:
        """The topology at the instant `at` (microseconds), now by default."""
        at = now() if at is None else at
        registered = self.registered()
        received = _received(at)
        types: dict[str, int | None] = dict(registered.types)
        unknown = sorted(name for name in received if name not in types)
        types.update(dict.fromkeys(unknown))
        sources = dict(registered.sources)
        emitters = dict(registered.emitters)
        shares = _shares(at, types, sources, emitters)
        takers = dict(registered.takers)
        for name, found in self._takers(unknown).items():
            takers[name] = tuple(pk for pk in found if pk in registered.rules)
        if len(registered.buses) > 1:
            takers = _on_their_bus(takers, emitters, sources, received, registered.rules)
        return Topology(
            registered,
            types,
            sources,
            emitters,
            takers,
            received,
            shares,
            _delivering(at, registered.place_of.keys()),
        )

    def registered(self) -> Registered:
        """What is registered, from memory unless something has changed."""
        seal = _seal()
        with self._lock:
            if self._known is not None and self._known[0] == seal:
                return self._known[1]
        found = _registered(self._takers)
        with self._lock:
            self._known = (seal, found)
        return found


reader = Reader(log_facts.rules_by_name)


def _seal() -> Any:
    """Changes when something does that the map shows. Not the stamps alone: they do not tell of all, and a restored
    database counts on from earlier ones."""
    stamps = tuple(Stamp.objects.order_by("name").values_list("name", "version"))
    types = tuple(EventType.objects.aggregate(Count("pk"), Max("pk"), Max("created_at")).values())
    emitted = EventType.sources.through._default_manager.aggregate(Count("pk"), Max("pk"))
    small = (
        tuple(Domain.objects.order_by("pk").values_list("pk", "name", "badge", "hue", "team__name")),
        tuple(Source.objects.order_by("pk").values_list("pk", "name", "uri", "retired_at", "team__name")),
        tuple(
            Rule.objects.filter(enabled=True).aggregate(Count("pk"), Max("pk"), Max("updated_at")).values()
        ),
        tuple(Target.objects.aggregate(Count("pk"), Max("pk"), Max("created_at")).values()),
    )
    return stamps, types, tuple(emitted.values()), small


def _registered(takers: Takers) -> Registered:
    types = dict(
        EventType.objects.exclude(lifecycle=Lifecycle.RETIRED)
        .order_by("domain_id", "name")
        .values_list("name", "domain_id")
    )
    emitters: dict[str, list[str]] = defaultdict(list)
    sources = {
        source.uri: Emitter(
            source.uri, source.slug, source.name, source.bus.name, source.bus_id, source.team.name
        )
        for source in Source.objects.filter(retired_at=None).select_related("bus", "team").order_by("name")
    }
    through = EventType.sources.through._default_manager.order_by("pk")
    for name, uri in through.values_list("eventtype__name", "source__uri"):
        if uri in sources:
            emitters[name].append(uri)
    targets: dict[int, list[int]] = defaultdict(list)
    alike: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    listed = Target.objects.filter(rule__enabled=True).order_by("pk")
    for pk, rule, name, connector, config in listed.values_list(
        "pk", "rule_id", "name", "connector", "config"
    ):
        targets[rule].append(pk)
        alike.setdefault((name, connector, json.dumps(config, sort_keys=True)), []).append((pk, rule))
    places = {
        found[0][0]: Place(
            found[0][0],
            name,
            connector,
            tuple(pk for pk, _ in found),
            tuple(dict.fromkeys(rule for _, rule in found)),
        )
        for (name, connector, _), found in sorted(alike.items(), key=lambda one: (one[0][0], one[1]))
    }
    rules = {
        rule.pk: Taker(
            rule.pk, rule.name, rule.bus_id, rule.team.name, rule.bus.retention_days, tuple(targets[rule.pk])
        )
        for rule in Rule.objects.filter(enabled=True).select_related("bus", "team").order_by("name", "pk")
    }
    return Registered(
        frozenset(Bus.objects.values_list("pk", flat=True)),
        {domain.pk: domain for domain in Domain.objects.select_related("team").order_by("pk")},
        types,
        {name: tuple(uris) for name, uris in emitters.items()},
        {name: tuple(pk for pk in found if pk in rules) for name, found in takers(types).items()},
        sources,
        rules,
        places,
        {target: place.key for place in places.values() for target in place.targets},
        {target: rule for rule, of_rule in targets.items() for target in of_rule},
    )


def _received(at: int) -> dict[str, Received]:
    first = rates.minute_of(at) - BUSY_MINUTES
    passed = BUSY_MINUTES + (at % MINUTE) / MINUTE
    found: dict[str, Received] = {}
    for bus, name, events, invalid in rows(
        "SELECT bus, type, sum(events), sum(invalid) FROM rollup_received WHERE minute >= %s GROUP BY bus, type",
        [first],
    ):
        before = found.get(name, STILL)
        rate = int(events) / passed
        whole = before.rate + rate
        share = (before.invalid * before.rate + int(invalid) / passed) / whole if whole else 0.0
        found[name] = Received(whole, share, before.buses | {int(bus)})
    return found


def _shares(
    at: int,
    types: Mapping[str, int | None],
    sources: dict[str, Emitter],
    emitters: dict[str, tuple[str, ...]],
) -> dict[tuple[str, str], float]:
    """Who sends how much of each type, by what was counted last; adds sources that are not registered, but send."""
    counted: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for uri, name, events in rows(
        "SELECT source, type, sum(events) FROM rollup_source WHERE slot >= %s GROUP BY source, type",
        [at // SLOT - 1],
    ):
        if name in types:
            counted[name].append((uri, int(events)))
    shares: dict[tuple[str, str], float] = {}
    for name, found in counted.items():
        whole = sum(events for _, events in found)
        for uri, events in found:
            shares[uri, name] = events / whole if whole else 0.0
            if uri not in sources:
                sources[uri] = Emitter(uri, "", uri, "", 0, "")
        emitters[name] = tuple(dict.fromkeys([*emitters.get(name, ()), *sorted(uri for uri, _ in found)]))
    for name, uris in emitters.items():
        # Nothing is counted yet, which takes a few seconds: only where there is one source, it is known who it was.
        if len(uris) == 1 and name not in counted:
            shares[uris[0], name] = 1.0
    return shares


def _on_their_bus(
    takers: Mapping[str, tuple[int, ...]],
    emitters: Mapping[str, tuple[str, ...]],
    sources: Mapping[str, Emitter],
    received: Mapping[str, Received],
    rules: Mapping[int, Taker],
) -> dict[str, tuple[int, ...]]:
    """A rule takes from its bus alone: without those of buses that a type is not sent on, as far as that is known."""
    found: dict[str, tuple[int, ...]] = {}
    for name, of_type in takers.items():
        buses = {sources[uri].bus_id for uri in emitters.get(name, ()) if sources[uri].bus_id}
        buses |= received.get(name, STILL).buses
        found[name] = tuple(pk for pk in of_type if rules[pk].bus_id in buses) if buses else of_type
    return found


def _delivering(at: int, wanted: Iterable[int]) -> dict[int, Delivering]:
    first = rates.minute_of(at) - BUSY_MINUTES
    passed = BUSY_MINUTES + (at % MINUTE) / MINUTE
    counts = {
        int(target): (int(done) / passed, int(retried) / passed, int(dead) / passed)
        for target, done, retried, dead in rows(
            "SELECT target, sum(delivered), sum(retried), sum(dead) FROM rollup_delivered WHERE minute >= %s "
            "GROUP BY target",
            [first],
        )
    }
    exists = "EXISTS (SELECT 1 FROM runner_exception x WHERE x.target = t.id AND x.state = %s)"
    states = {
        int(target): status.of_state(state, True, Waiting(dead=int(dead), retrying=int(retrying)))
        for target, state, dead, retrying in rows(
            f"SELECT t.id, t.state, {exists}, {exists} FROM rules_target t JOIN rules_rule r ON r.id = t.rule_id "
            "WHERE r.enabled",
            [int(State.DEAD), int(State.RETRY)],
        )
    }
    return {
        target: Delivering(*counts.get(target, (0.0, 0.0, 0.0)), states[target])
        for target in wanted
        if target in states
    }
