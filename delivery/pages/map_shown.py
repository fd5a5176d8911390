"""What of a topology the map shows: all of it while it is small, else the busiest and the others by domain."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Container
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import words
from catalog.models import HUES
from delivery.bins.found import bins_at, shown_as
from delivery.map.graph import RULES, SOURCES, TARGETS, TYPES, Graph, Line, Node
from delivery.pages.map_kept import OTHERS, WORST, Kept, fit, key_of, status_of
from delivery.pages.map_quiet import quiet
from delivery.tracking import rhythm
from delivery.tracking.topology import Topology

T = TypeVar("T")

# Shown one by one in a column unless more is asked for, and at most. A neighbourhood is shown whole, as far as it can be.
FEW, NEAR, MOST = 36, 300, 1000
STEPS = (FEW, 120, 400, MOST)
# Domains that stand for the types that are not shown one by one.
DOMAINS = 14


@dataclass(frozen=True)
class Shown:
    """A map: its graph, the keys that are in focus (None: nothing is), and per column how many there are in all."""

    graph: Graph
    live: frozenset[str] | None
    counts: tuple[int, int, int, int]
    more: int | None


@dataclass(frozen=True)
class Links:
    """Addresses: of the map with a key in focus, and of the map with so many nodes."""

    to: Callable[[str], str]
    more: Callable[[int], str]


def shown(found: Topology, kept: Kept, live: Kept | None, most: int, href: Links) -> Shown:
    """The graph of what is `kept`; `live` is in focus, all of it when None. At most about `most` nodes in a column."""
    return _Drawn(found, kept, most, href).shown(live)


class _Drawn:
    """Collects flows between what is shown; what is not shown one by one flows through its domain, or through a rest."""

    def __init__(self, found: Topology, kept: Kept, most: int, href: Links) -> None:
        self.found, self.kept, self.most, self.href = found, kept, most, href
        wrong = {name for name in found.invalid if fit(found, name)}
        self.types = _busiest(
            kept.types, most, lambda name: (name not in wrong, -found.rates.get(name, 0.0), name)
        )
        sent: dict[str, float] = defaultdict(float)
        self.sends: dict[str, list[str]] = defaultdict(list)
        for name in kept.types:
            rate = found.rates.get(name, 0.0)
            for uri, share in found.emitters.get(name, ()):
                sent[uri] += share * rate
                self.sends[uri].append(name)
        self.sent = sent
        self.sources = _busiest(kept.sources, most, lambda uri: (-sent.get(uri, 0.0), uri))
        passed = {pk: found.passed(found.registered.rules[pk].targets) for pk in kept.rules}
        self.passed = passed
        self.places = _busiest(
            kept.places,
            most,
            lambda key: (
                WORST.index(status_of(found, key).kind) > 1,
                -max((passed.get(rule, 0.0) for rule in found.registered.places[key].rules), default=0.0),
                key,
            ),
        )
        to_shown = {rule for key in self.places for rule in found.registered.places[key].rules}
        self.rules = _busiest(kept.rules, most, lambda pk: (pk not in to_shown, -passed[pk], pk))
        self.hidden: dict[str, list[str]] = defaultdict(list)
        self.domain_of = self._domains()

    def shown(self, live: Kept | None) -> Shown:
        graph = Graph(
            [self._sources(), self._types(), self._rules(), self._targets()],
            self._lines(),
        )
        counts = tuple(map(len, (self.kept.sources, self.kept.types, self.kept.rules, self.kept.places)))
        all_shown = len(self.types) == len(self.kept.types)
        following = next((step for step in STEPS if step > self.most), None)
        return Shown(
            graph,
            None if live is None else self._keys(live),
            counts,  # type: ignore[arg-type]
            None if all_shown else following,
        )

    def _keys(self, live: Kept) -> frozenset[str]:
        return frozenset(
            [
                *map(self.type_key, live.types),
                *map(self.source_key, live.sources),
                *map(self.rule_key, live.rules),
                *map(self.place_key, live.places),
            ]
        )

    def type_key(self, name: str) -> str:
        return key_of("type", name) if name in self.types else self.domain_of[self.found.types[name]]

    def source_key(self, uri: str) -> str:
        return key_of("source", uri) if uri in self.sources else "rest:source"

    def rule_key(self, pk: int) -> str:
        return key_of("rule", pk) if pk in self.rules else "rest:rule"

    def place_key(self, key: int) -> str:
        return key_of("target", key) if key in self.places else "rest:target"

    def _domains(self) -> dict[int | None, str]:
        """The nodes that types go through which are not shown one by one: their domain's, one for all when there are many."""
        rate: dict[int | None, float] = {}
        for name in self.kept.types:
            if name not in self.types:
                domain = self.found.types[name]
                rate[domain] = rate.get(domain, 0.0) + self.found.rate(name)
        own = set(_busiest(rate, DOMAINS, lambda pk: (-rate[pk], -1 if pk is None else pk)))
        slugs = {pk: domain.slug for pk, domain in self.found.registered.domains.items()}
        keys = {
            domain: key_of("domain", OTHERS if domain is None else slugs[domain])
            if domain in own
            else "rest:type"
            for domain in rate
        }
        for name in self.kept.types:
            if name not in self.types:
                self.hidden[keys[self.found.types[name]]].append(name)
        return keys

    def _hue(self, domain: int | None) -> int | None:
        return None if domain is None else self.found.registered.domains[domain].hue % HUES

    def _lines(self) -> list[Line]:
        found = self.found
        flows: dict[tuple[str, str], float] = defaultdict(float)
        hues: dict[tuple[str, str], set[int | None]] = defaultdict(set)
        rule_hues: dict[int, set[int | None]] = defaultdict(set)
        taken: dict[tuple[str, int], float] = defaultdict(float)
        sources = {uri: self.source_key(uri) for uri in self.kept.sources}
        rules = {pk: self.rule_key(pk) for pk in self.kept.rules}
        hue_of = {pk: domain.hue % HUES for pk, domain in found.registered.domains.items()}
        for name in self.kept.types:
            rate, domain = found.rates.get(name, 0.0), found.types[name]
            key = f"type:{name}" if name in self.types else self.domain_of[domain]
            hue = None if domain is None else hue_of[domain]
            for uri, share in found.emitters.get(name, ()):
                if uri in sources:
                    pair = (sources[uri], key)
                    flows[pair] += rate * share
                    hues[pair].add(hue)
            for pk in found.takers.get(name, ()):
                if pk in rules:
                    taken[key, pk] += rate
                    rule_hues[pk].add(hue)
                    hues[key, rules[pk]].add(hue)
        offered = self._offered(rules)
        for (key, pk), rate in taken.items():
            # What a rule takes of each type is not counted. Its own rate is, and is told apart by what is offered.
            whole = offered[pk]
            flows[key, rules[pk]] += self.passed[pk] * rate / whole if whole else 0.0
        trouble: dict[tuple[str, str], str] = {}
        for place in self.kept.places:
            for target in found.registered.places[place].targets:
                self._delivered(place, target, rules, flows, hues, rule_hues, trouble)
        return [
            Line(start, end, rate, _only(hues[start, end]), trouble.get((start, end), ""))
            for (start, end), rate in flows.items()
        ]

    def _offered(self, rules: Container[int]) -> dict[int, float]:
        """Events per minute of all types that a rule could take, shown or not."""
        offered: dict[int, float] = defaultdict(float)
        for name, of_type in self.found.takers.items():
            if of_type:
                rate = self.found.rates.get(name, 0.0)
                for pk in of_type:
                    if pk in rules:
                        offered[pk] += rate
        return offered

    def _delivered(
        self,
        place: int,
        target: int,
        rules: Container[int],
        flows: dict[tuple[str, str], float],
        hues: dict[tuple[str, str], set[int | None]],
        rule_hues: dict[int, set[int | None]],
        trouble: dict[tuple[str, str], str],
    ) -> None:
        rule = self.found.registered.rule_of[target]
        if rule not in rules:
            return
        pair = (self.rule_key(rule), self.place_key(place))
        flows[pair] += self.found.passed([target])
        hues[pair] |= rule_hues.get(rule) or {None}
        one = self.found.delivering.get(target)
        if one is not None and one.status.kind in ("bad", "warn") and trouble.get(pair) != "bad":
            trouble[pair] = one.status.kind

    def _sources(self) -> list[Node]:
        nodes = []
        resting = {uri: self.sends[uri] for uri in self.sources if not self.sent.get(uri)}
        rhythms = rhythm.of_sources(resting)
        for uri in self.kept.sources:
            if uri not in self.sources:
                continue
            source = self.found.sources[uri]
            rate = self.sent.get(uri, 0.0)
            still = quiet(rhythms.get(uri)) if uri in resting else None
            status, word = (still and still.status) or ("", "")
            below = (still.said if still else per_minute(rate)) if source.slug else _("not registered")
            told = _("%(name)s, source, %(rate)s") % {
                "name": source.name,
                "rate": still.sentence if still and source.slug else below,
            }
            key = key_of("source", uri)
            nodes.append(
                Node(
                    key, SOURCES, source.name, below, None, status, word, href=self.href.to(key), told=told, rate=rate,
                    note=still.sentence if still else "",
                )
            )  # fmt: skip
        return nodes + self._rest("source", SOURCES, len(self.kept.sources) - len(nodes))

    def _types(self) -> list[Node]:
        nodes = []
        rhythms = rhythm.of_types(
            [name for name in self.types if not self.found.rate(name)], self.found.registered.buses
        )
        for name in self.kept.types:
            if name in self.types:
                domain, rate = self.found.types[name], self.found.rate(name)
                still = None if rate else quiet(rhythms.get(name))
                status, word = fit(self.found, name) or (still and still.status) or ("", "")
                below = per_minute(rate) if still is None else "" if still.is_silent else still.said
                parts = (still.sentence,) if still else (below, word) if word else (below,)
                key = key_of("type", name)
                told = _("%(name)s, event type, %(rate)s") % {"name": name, "rate": ", ".join(parts)}
                nodes.append(
                    Node(
                        key, TYPES, name, below, self._hue(domain), status, word,
                        href=self.href.to(key), told=told, rate=rate, note=still.note if still else "",
                    )
                )  # fmt: skip
        by_slug = {key_of("domain", one.slug): one for one in self.found.registered.domains.values()}
        for key, names in self.hidden.items():
            shelf = by_slug.get(key)
            label = (
                shelf.name if shelf else _("Not in the catalog") if key != "rest:type" else _("Other domains")
            )
            count = ngettext("%(n)s more type", "%(n)s more types", len(names)) % {
                "n": words.number(len(names))
            }
            below = f"{count} · {per_minute(sum(map(self.found.rate, names)))}"
            href = self._more() if key == "rest:type" else self.href.to(key)
            nodes.append(
                Node(
                    key, TYPES, label, below, shelf.hue % HUES if shelf else None, many=True,
                    href=href, told=f"{label}, {below}", rate=sum(map(self.found.rate, names)),
                )
            )  # fmt: skip
        return nodes

    def _rules(self) -> list[Node]:
        nodes = []
        for pk in self.kept.rules:
            if pk in self.rules:
                rule, key = self.found.registered.rules[pk], key_of("rule", pk)
                rate = per_minute(self.passed[pk])
                told = _("%(name)s, rule, %(rate)s") % {"name": rule.name, "rate": rate}
                nodes.append(
                    Node(key, RULES, rule.name, href=self.href.to(key), told=told, rate=self.passed[pk])
                )
        return nodes + self._rest("rule", RULES, len(self.kept.rules) - len(nodes))

    def _targets(self) -> list[Node]:
        nodes = []
        bins = bins_at(self.found.registered.places[pk].bin for pk in self.places)
        for pk in self.kept.places:
            if pk in self.places:
                place, key = self.found.registered.places[pk], key_of("target", pk)
                kind, word = status_of(self.found, pk)
                label = shown_as(place.connector, place.bin in bins)[1]
                below = label if kind == "ok" else f"{word} · {label}"
                told = _("%(name)s, target, %(word)s") % {"name": place.name, "word": word}
                nodes.append(
                    Node(key, TARGETS, place.name, below, None, kind, word, href=self.href.to(key), told=told)
                )
        return nodes + self._rest("target", TARGETS, len(self.kept.places) - len(nodes))

    def _more(self) -> str:
        """Where more is shown one by one than now."""
        return self.href.more(next((step for step in STEPS if step > self.most), MOST))

    def _rest(self, kind: str, column: int, count: int) -> list[Node]:
        if not count:
            return []
        label = _("%(n)s more") % {"n": words.number(count)}
        kinds = {"source": _("sources"), "rule": _("rules"), "target": _("targets")}
        told = f"{label} {kinds[kind]}"
        return [Node(f"rest:{kind}", column, label, kinds[kind], many=True, href=self._more(), told=told)]


def _only(hues: set[int | None]) -> int | None:
    return next(iter(hues)) if len(hues) == 1 else None


def per_minute(rate: float, none: str = "") -> str:
    """`84/min`; for none `none`, or "nothing now"."""
    return _("%(n)s/min") % {"n": words.number(max(rate, 0.01))} if rate else none or _("nothing now")


def _busiest(listed: Collection[T], most: int, rank: Callable[[T], Any]) -> set[T]:
    """All of them, or the `most` that come first by `rank`."""
    return set(listed) if len(listed) <= most else set(heapq.nsmallest(most, listed, key=rank))
