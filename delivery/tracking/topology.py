"""Who tells whom: sources, event types, rules and where they deliver, and how much flows between them right now.

What is registered is read anew only when it has changed; what flows is read each time, from the rollups.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Count, Max

from catalog.facts import BUSY_MINUTES
from catalog.models import Bus, Domain, EventType, Lifecycle, Source, Stamp
from delivery.bins.found import address_in
from delivery.tracking import rates, status
from delivery.tracking.breakers import OpenBreaker
from delivery.tracking.facts import log_facts
from delivery.tracking.read import MINUTE, now, rows
from delivery.tracking.sources import SLOT
from delivery.tracking.status import Status
from delivery.tracking.waiting import Waiting
from delivery.tracking.words import State
from rules.models import Rule, Target

# Two sums in one number: events times this, and those that did not fit. A few minutes hold fewer than this of either.
BOTH = 2**31
# Types that are sent, but not registered: so many are looked at.
UNKNOWN = 400
# What flows is read for each request when that is quick (seconds); else it is used for so many times as long as it took.
QUICK, KEPT = 0.05, 20

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
    """Where rules deliver: targets of one name, connector and config are one place.

    `key`: the first of their ids.  `bin`: the address of the request bin that the config names, "" for none.
    """

    key: int
    name: str
    connector: str
    bin: str
    targets: tuple[int, ...]
    rules: tuple[int, ...]


class Delivering(NamedTuple):
    """A target right now: events per minute that it took and gave up, and how it is."""

    delivered: float
    dead: float
    status: Status


@dataclass(frozen=True)
class Registered:
    """What is registered, without retired types and rules that do not listen.

    `types`: name → id of its domain.  `emitters`: type → URIs of its sources, each with the part
    of the type's events that it sends as far as that is known without counting.  `takers`: type → ids of the rules that
    could take it.  `place_of`, `rule_of`: target → key of its place, its rule.
    """

    buses: frozenset[int]
    domains: Mapping[int, Domain]
    types: Mapping[str, int]
    emitters: Mapping[str, tuple[tuple[str, float], ...]]
    takers: Mapping[str, tuple[int, ...]]
    sources: Mapping[str, Emitter]
    rules: Mapping[int, Taker]
    places: Mapping[int, Place]
    place_of: Mapping[int, int]
    rule_of: Mapping[int, int]


@dataclass(frozen=True)
class Flow:
    """What flows right now, per minute, of all types that are registered or sent.

    `rates`: type → events.  `invalid`: type → the share that did not fit the schema, where there was any.  `buses`: type →
    ids of buses it came on; empty while there is but one bus.  `emitters`: type → URIs of those that sent it last, each
    with its part of the type's events, 0 to 1.
    """

    rates: Mapping[str, float]
    invalid: Mapping[str, float]
    buses: Mapping[str, frozenset[int]]
    emitters: Mapping[str, tuple[tuple[str, float], ...]]
    delivering: Mapping[int, Delivering]


@dataclass(frozen=True)
class Topology:
    """What is registered and what flows, joined.

    `types`: name → id of its domain, None for one that is not registered.  `sources`, `takers`: as in Registered.
    `emitters`: type → URIs of its sources, each with its part of the type's events.
    """

    registered: Registered
    types: Mapping[str, int | None]
    sources: Mapping[str, Emitter]
    emitters: Mapping[str, tuple[tuple[str, float], ...]]
    takers: Mapping[str, tuple[int, ...]]
    rates: Mapping[str, float]
    invalid: Mapping[str, float]
    delivering: Mapping[int, Delivering]

    def rate(self, name: str) -> float:
        """Events of that type per minute."""
        return self.rates.get(name, 0.0)

    def passed(self, targets: Iterable[int]) -> float:
        """Events per minute that the busiest of these targets has brought to an end: taken, or given up."""
        found = (self.delivering[one] for one in targets if one in self.delivering)
        return max((one.delivered + one.dead for one in found), default=0.0)


class Reader:
    """Reads topologies; remembers what is registered, and for moments what flows. Safe to use from several threads."""

    def __init__(self, takers: Takers) -> None:
        self._takers = takers
        self._lock = threading.Lock()
        self._known: tuple[Any, Registered] | None = None
        self._flow: tuple[float, Registered, Flow] | None = None

    def read(self) -> Topology:
        """The topology as it is now."""
        registered = self.registered()
        flow = self._flowing(registered)
        types: dict[str, int | None] = dict(registered.types)
        unknown = sorted({*flow.rates, *flow.emitters} - types.keys())
        types.update(dict.fromkeys(unknown))
        sources = dict(registered.sources)
        emitters = {**registered.emitters, **flow.emitters}
        for name, found in flow.emitters.items():
            for uri, _share in found:
                if uri not in sources:
                    sources[uri] = Emitter(uri, "", uri, "", 0, "")
            silent = [one for one in registered.emitters.get(name, ()) if one[0] not in dict(found)]
            if silent:
                emitters[name] = (*found, *((uri, 0.0) for uri, _share in silent))
        takers = dict(registered.takers)
        for name, of_type in self._takers(unknown).items():
            takers[name] = tuple(pk for pk in of_type if pk in registered.rules)
        if len(registered.buses) > 1:
            takers = _on_their_bus(takers, emitters, sources, flow.buses, registered.rules)
        return Topology(
            registered, types, sources, emitters, takers, flow.rates, flow.invalid, flow.delivering
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

    def _flowing(self, registered: Registered) -> Flow:
        """What flows; what took long to read is used so long that reading takes no more than a small part of the time."""
        began = time.monotonic()
        with self._lock:
            if self._flow is not None and self._flow[1] is registered and began < self._flow[0]:
                return self._flow[2]
        flow = _flow(now(), registered)
        ended = time.monotonic()
        if ended - began > QUICK:
            with self._lock:
                self._flow = (ended + (ended - began) * KEPT, registered, flow)
        return flow


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
    emitted: dict[str, list[str]] = defaultdict(list)
    sources = {
        source.uri: Emitter(
            source.uri, source.slug, source.name, source.bus.name, source.bus_id, source.team.name
        )
        for source in Source.objects.filter(retired_at=None).select_related("bus", "team").order_by("name")
    }
    through = EventType.sources.through._default_manager.order_by("pk")
    for name, uri in through.values_list("eventtype__name", "source__uri"):
        if uri in sources:
            emitted[name].append(uri)
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
            address_in(connector, json.loads(config)),
            tuple(pk for pk, _ in found),
            tuple(dict.fromkeys(rule for _, rule in found)),
        )
        for (name, connector, config), found in sorted(alike.items(), key=lambda one: (one[0][0], one[1]))
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
        # While nothing is counted yet it is known who sends only where there is one source.
        {
            name: tuple((uri, 1.0 if len(uris) == 1 else 0.0) for uri in uris)
            for name, uris in emitted.items()
        },
        {name: tuple(pk for pk in found if pk in rules) for name, found in takers(types).items()},
        sources,
        rules,
        places,
        {target: place.key for place in places.values() for target in place.targets},
        {target: rule for rule, of_rule in targets.items() for target in of_rule},
    )


def _flow(at: int, registered: Registered) -> Flow:
    emitters = _emitting(at)
    unknown = [name for name in emitters if name not in registered.types][:UNKNOWN]
    passed = BUSY_MINUTES + (at % MINUTE) / MINUTE
    rates_of: dict[str, float] = {}
    invalid: dict[str, float] = {}
    buses: dict[str, frozenset[int]] = {}
    for bus in sorted(registered.buses):
        for name, both in _received(bus, rates.minute_of(at) - BUSY_MINUTES, unknown):
            events, wrong = divmod(int(both), BOTH)
            if wrong:
                invalid[name] = invalid.get(name, 0.0) + wrong / passed
            rates_of[name] = rates_of.get(name, 0.0) + events / passed
            if len(registered.buses) > 1:
                buses[name] = buses.get(name, frozenset()) | {bus}
    invalid = {name: wrong / rates_of[name] for name, wrong in invalid.items()}
    return Flow(rates_of, invalid, buses, emitters, _delivering(at, registered.place_of.keys()))


def _received(bus: int, first: int, unknown: Sequence[str]) -> Iterator[tuple[str, int]]:
    """(type, events * BOTH + those that did not fit) since minute `first` on one bus, of types with any.

    One look into the rollups' key for each type: the index by minute would look up each row by itself, which takes four
    times as long. Both sums in one number: a second look takes as long as the first.
    """
    both = f"(SELECT sum(events * {BOTH} + invalid) FROM rollup_received WHERE bus = %s AND type = t.name AND minute >= %s)"
    names = "SELECT name FROM catalog_eventtype"
    found = rows(f"SELECT t.name, {both} FROM ({names}) AS t", [bus, first])
    if unknown:
        listed = " UNION ALL ".join(["SELECT %s AS name"] * len(unknown))
        found += rows(f"SELECT t.name, {both} FROM ({listed}) AS t", [bus, first, *unknown])
    return ((name, int(count)) for name, count in found if count is not None)


def _emitting(at: int) -> dict[str, tuple[tuple[str, float], ...]]:
    """Who sent how much of each type in the running ten minutes and the ten before."""
    counted: dict[str, dict[str, int]] = {}
    # Added up here: grouped by its key, SQLite would read the whole table.
    for uri, name, events in rows(
        "SELECT source, type, events FROM rollup_source WHERE slot >= %s", [at // SLOT - 1]
    ):
        of_type = counted.get(name)
        if of_type is None:
            counted[name] = {uri: events}
        else:
            of_type[uri] = of_type.get(uri, 0) + events
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for name, of_type in counted.items():
        if len(of_type) == 1:
            found[name] = ((next(iter(of_type)), 1.0),)
        else:
            whole = sum(of_type.values()) or 1
            found[name] = tuple(sorted((uri, events / whole) for uri, events in of_type.items()))
    return found


def _on_their_bus(
    takers: Mapping[str, tuple[int, ...]],
    emitters: Mapping[str, tuple[tuple[str, float], ...]],
    sources: Mapping[str, Emitter],
    seen: Mapping[str, frozenset[int]],
    rules: Mapping[int, Taker],
) -> dict[str, tuple[int, ...]]:
    """A rule takes from its bus alone: without those of buses that a type is not sent on, as far as that is known."""
    found: dict[str, tuple[int, ...]] = {}
    for name, of_type in takers.items():
        buses = {sources[uri].bus_id for uri, _share in emitters.get(name, ()) if sources[uri].bus_id}
        buses |= seen.get(name, frozenset())
        found[name] = tuple(pk for pk in of_type if rules[pk].bus_id in buses) if buses else of_type
    return found


def _delivering(at: int, wanted: Iterable[int]) -> dict[int, Delivering]:
    first = rates.minute_of(at) - BUSY_MINUTES
    passed = BUSY_MINUTES + (at % MINUTE) / MINUTE
    delivered: dict[int, float] = defaultdict(float)
    dead: dict[int, float] = defaultdict(float)
    # Added up here: grouped by its key, SQLite would read the whole table.
    for target, done, given_up in rows(
        "SELECT target, delivered, dead FROM rollup_delivered WHERE minute >= %s", [first]
    ):
        delivered[target] += done / passed
        dead[target] += given_up / passed
    exists = "EXISTS (SELECT 1 FROM runner_exception x WHERE x.target = t.id AND x.state = %s)"
    states = {
        int(target): status.of_state(
            state,
            True,
            Waiting(
                dead=int(dead_ones),
                retrying=int(retrying),
                breaker=None if opened is None else OpenBreaker(opened, probe_at, reason, prober is not None),
                answered=int(answered),
            ),
        )
        for target, state, dead_ones, retrying, answered, opened, probe_at, reason, prober in rows(
            f"SELECT t.id, t.state, {exists}, {exists}, {exists[:-1]} AND (x.status IS NOT NULL OR x.request IS NULL)), "
            "g.opened_at, g.probe_at, g.reason, g.prober "
            "FROM rules_target t JOIN rules_rule r ON r.id = t.rule_id "
            "LEFT JOIN runner_gate g ON g.target = t.id AND t.breaker WHERE r.enabled",
            [int(State.DEAD), int(State.RETRY), int(State.DEAD)],
        )
    }
    return {
        target: Delivering(delivered[target], dead[target], states[target])
        for target in wanted
        if target in states
    }
