"""What of a topology is looked at: all of it, some domains, a neighbourhood, what is in trouble."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from catalog.changes import OWN, is_own
from catalog.traffic import HEALTHY, WORRYING
from delivery.tracking.status import Status
from delivery.tracking.topology import Topology

# Types that are not registered go as a domain of this name, which no real one can have.
OTHERS = "*"
# Statuses, the one to look at first before all others.
WORST = ("bad", "warn", "busy", "idle", "ok")


class Kept(NamedTuple):
    """What is looked at, in order: names of types (quick to look into), URIs of sources, ids of rules, keys of places."""

    types: Collection[str]
    sources: Collection[str]
    rules: Collection[int]
    places: Collection[int]

    @property
    def largest(self) -> int:
        """The size of the longest column."""
        return max(map(len, self))


def key_of(kind: str, value: object) -> str:
    """The key of a node: "type:order.placed", "source:/shop", "rule:3", "target:7", "domain:orders"."""
    return f"{kind}:{value}"


def everything(found: Topology) -> Kept:
    """All that is registered, or flows."""
    return Kept(
        found.types.keys(),
        found.sources.keys(),
        found.registered.rules.keys(),
        found.registered.places.keys(),
    )


def without_own(found: Topology, inside: Kept) -> Kept:
    """The same without the event types and the source that tell of Signalbox itself; rules and places stay."""
    return inside._replace(
        types={name: None for name in inside.types if not is_own(name)},
        sources=[uri for uri in inside.sources if found.sources[uri].slug != OWN],
    )


def own_types(found: Topology) -> list[str]:
    """The names of the event types that tell of Signalbox itself."""
    return [name for name in found.types if is_own(name)]


def of_domains(found: Topology, slugs: Collection[str]) -> Kept:
    """The types of these domains, and what is joined to them."""
    ids = {pk for pk, domain in found.registered.domains.items() if domain.slug in slugs}
    return _around(found, [name for name, domain in found.types.items() if domain in ids])


def near(found: Topology, focus: str, inside: Kept) -> Kept | None:
    """What leads to a node and where it leads, within what is looked at; None when there is no such node."""
    kind, _colon, value = focus.partition(":")
    known = found.registered
    if kind == "type" and value in inside.types:
        return _around(found, [value], inside)
    if kind == "source" and (uri := source_called(found, value)) in inside.sources:
        value = uri
        of_source = [
            name for name, sent in found.emitters.items() if any(uri == value for uri, _share in sent)
        ]
        return _around(found, of_source, inside)._replace(sources=[value])
    if kind == "domain" and (ids := [pk for pk, domain in known.domains.items() if domain.slug == value]):
        return _around(found, [name for name, domain in found.types.items() if domain == ids[0]], inside)
    if kind == "domain" and value == OTHERS:
        return _around(found, [name for name, domain in found.types.items() if domain is None], inside)
    number = int(value) if value.isdecimal() else 0
    if kind == "rule" and number in inside.rules:
        return _taken_by(found, [number], inside)
    if kind == "target" and known.place_of.get(number) in inside.places:
        place = known.places[known.place_of[number]]
        return _taken_by(found, place.rules, inside)._replace(places=[place.key])
    return None


def in_trouble(found: Topology, inside: Kept) -> tuple[Kept, int]:
    """What leads to places in trouble, and types whose events do not fit; and how many of both there are."""
    places = [key for key in inside.places if status_of(found, key).kind in ("bad", "warn")]
    types = [name for name, share in found.invalid.items() if share > 1 - HEALTHY and name in inside.types]
    rules = {rule for key in places for rule in found.registered.places[key].rules}
    through = (
        [name for name in inside.types if not rules.isdisjoint(found.takers.get(name, ()))] if rules else []
    )
    kept = _around(found, dict.fromkeys([*through, *types]), inside)
    return kept._replace(rules=[pk for pk in inside.rules if pk in rules], places=places), len(places) + len(
        types
    )


def status_of(found: Topology, place: int) -> Status:
    """The worst of its targets."""
    all_of = [
        found.delivering[one].status
        for one in found.registered.places[place].targets
        if one in found.delivering
    ]
    return min(all_of, key=lambda one: WORST.index(one.kind), default=Status("idle", _("Not listening")))


def fit(found: Topology, name: str) -> Status | None:
    """What is wrong with a type's events of the last minutes; None when they fit their schema."""
    share = found.invalid.get(name, 0.0)
    if share <= 1 - HEALTHY:
        return None
    percent = f"{max(share * 100, 0.1):.1f}".removesuffix(".0")
    return Status("bad" if share > 1 - WORRYING else "warn", _("%(share)s%% do not fit") % {"share": percent})


def source_called(found: Topology, value: str) -> str:
    """The URI of the source with that URI or slug, "" for none."""
    if value in found.sources:
        return value
    return next((uri for uri, source in found.sources.items() if source.slug == value), "")


def canonical(found: Topology, focus: str) -> str:
    """The key of the node that stands for `focus`: targets of one place share theirs, a source goes by its URI."""
    kind, _colon, value = focus.partition(":")
    if kind == "target" and value.isdecimal() and int(value) in found.registered.place_of:
        return key_of("target", found.registered.place_of[int(value)])
    return key_of("source", source_called(found, value)) if kind == "source" else focus


def title_of(found: Topology, focus: str) -> str:
    """What a node that is not drawn by itself is called: a domain."""
    slug = focus.partition(":")[2]
    return next(
        (one.name for one in found.registered.domains.values() if one.slug == slug), _("Not in the catalog")
    )


def _around(found: Topology, types: Iterable[str], inside: Kept | None = None) -> Kept:
    inside = inside or everything(found)
    mine = {name: None for name in types if name in inside.types}
    sources = {uri for name in mine for uri, _share in found.emitters.get(name, ())}
    rules = {pk for name in mine for pk in found.takers.get(name, ())}
    return Kept(
        mine,
        [uri for uri in inside.sources if uri in sources],
        [pk for pk in inside.rules if pk in rules],
        [key for key in inside.places if not rules.isdisjoint(found.registered.places[key].rules)],
    )


def _taken_by(found: Topology, rules: Sequence[int], inside: Kept) -> Kept:
    wanted = set(rules)
    types = [name for name in inside.types if not wanted.isdisjoint(found.takers.get(name, ()))]
    places = [key for key in inside.places if not wanted.isdisjoint(found.registered.places[key].rules)]
    return _around(found, types, inside)._replace(rules=list(rules), places=places)
