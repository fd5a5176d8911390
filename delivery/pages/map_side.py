"""The panel beside the map: what the node in focus is, what it is joined to, and what would be if it stopped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import words
from delivery.deadletters import listing
from delivery.pages.map_kept import OTHERS, Kept, fit, source_called, status_of
from delivery.pages.map_quiet import quiet
from delivery.pages.map_shown import per_minute
from delivery.tracking import rates, rhythm
from delivery.tracking.read import now
from delivery.tracking.status import Status
from delivery.tracking.topology import Topology

JOINED = 12


class Joined(NamedTuple):
    """Something the node is joined to: how it is, its name and page, its events per minute."""

    status: Status | None
    name: str
    url: str
    rate: str


class Panel(NamedTuple):
    """`facts`: label and text.  `actions`: label and address, the node's own page first.  `more`: of `joined`, how many
    are not listed."""

    title: str
    mono: bool
    status: Status | None
    facts: list[tuple[str, str]]
    joined: list[Joined]
    more: int
    actions: list[tuple[str, str]]
    stopped: str


def panel(found: Topology, focus: str, near: Kept) -> Panel | None:
    """The panel of the node with that key, of which `near` is the neighbourhood."""
    kind, _colon, value = focus.partition(":")
    if kind == "type":
        return _type(found, value, near)
    if kind == "source":
        return _source(found, source_called(found, value), near)
    if kind == "rule":
        return _rule(found, int(value), near)
    if kind == "target":
        return _place(found, found.registered.place_of[int(value)], near)
    return _domain(found, value, near)


def _place(found: Topology, key: int, near: Kept) -> Panel:
    place = found.registered.places[key]
    hour = rates.minute_of(now())
    counts = rates.delivered_by_target(hour - 59, hour, place.targets)
    total = rates.total(list(counts.values()))
    received = sum(found.passed([target]) for target in place.targets)
    rules = ngettext("%(rate)s from %(n)s rule", "%(rate)s from %(n)s rules", len(place.rules))
    facts = [
        (_("Kept by"), _listed(found.registered.rules[pk].team for pk in place.rules)),
        (_("Receives"), rules % {"rate": per_minute(received), "n": len(place.rules)}),
    ]
    median = total.percentile(0.5)
    if median is not None:
        answers = _("median %(time)s") % {"time": words.duration(median)}
        refused = 1 - (total.share if total.share is not None else 1.0)
        if refused:
            share = f"{max(refused * 100, 0.1):.1f}".removesuffix(".0")
            answers += ", " + _("%(share)s%% given up") % {"share": share}
        facts.append((_("Took"), answers))
    joined = [
        Joined(
            found.delivering[target].status if target in found.delivering else None,
            found.registered.rules[found.registered.rule_of[target]].name,
            reverse("rule", args=[found.registered.rule_of[target]]),
            per_minute(found.passed([target]), "0/min"),
        )
        for target in place.targets
    ]
    actions = [(_("Open target"), reverse("target", args=[key]))]
    for target in place.targets:
        if letters := listing.of_target(target, 1):
            actions.append((_("See a refusal"), reverse("journey", args=[letters[0].seq])))
            break
    kept = min(found.registered.rules[pk].kept_days for pk in place.rules)
    stopped = _waiting(received)
    stopped += " " + ngettext("Nothing is lost for %(n)s day.", "Nothing is lost for %(n)s days.", kept) % {
        "n": words.number(kept)
    }
    return Panel(place.name, False, status_of(found, key), facts, *_some(joined), actions, stopped)


def _rule(found: Topology, pk: int, near: Kept) -> Panel:
    rule = found.registered.rules[pk]
    types = ngettext("%(n)s event type", "%(n)s event types", len(near.types)) % {
        "n": words.number(len(near.types))
    }
    rate = found.passed(rule.targets)
    facts = [
        (_("Kept by"), rule.team),
        (_("Could take"), types),
        (_("Passes on"), per_minute(rate)),
    ]
    actions = [(_("Open rule"), reverse("rule", args=[pk]))]
    count = len(rule.targets)
    stopped = ngettext(
        "%(rate)s would no longer reach %(n)s target.", "%(rate)s would no longer reach %(n)s targets.", count
    ) % {"rate": _events(rate), "n": words.number(count)}
    return Panel(rule.name, False, None, facts, *_some(_targets(found, [pk])), actions, stopped)


def _type(found: Topology, name: str, near: Kept) -> Panel:
    domain = found.types[name]
    shelf = found.registered.domains[domain] if domain is not None else None
    facts = [(_("Domain"), shelf.name if shelf else _("Not in the catalog"))]
    if shelf and shelf.team:
        facts.append((_("Kept by"), shelf.team.name))
    rate = found.rate(name)
    still = None if rate else quiet(rhythm.of_types([name], found.registered.buses).get(name))
    facts.append((_("Rate"), still.sentence if still else per_minute(rate)))
    facts.append(
        (_("Sent by"), _listed(found.sources[uri].name for uri in near.sources) or _("nobody registered"))
    )
    if shelf:
        actions = [(_("Open event type"), reverse("event-type", args=[name]))]
    else:
        actions = [(_("Register it"), f"{reverse('register-type')}?{urlencode({'name': name})}")]
    actions.append((_("Subscribe"), f"{reverse('subscribe')}?{urlencode({'type': name})}"))
    return Panel(
        name,
        True,
        fit(found, name) or (still.status if still else None),
        facts,
        *_some(_targets(found, near.rules)),
        actions,
        _unheard(near, rate),
    )


def _source(found: Topology, uri: str, near: Kept) -> Panel:
    source = found.sources[uri]
    sent = {name: dict(found.emitters.get(name, ())).get(uri, 0.0) * found.rate(name) for name in near.types}
    rate = sum(sent.values())
    still = None if rate else quiet(rhythm.of_sources({uri: list(sent)}).get(uri))
    types = ngettext("%(n)s event type", "%(n)s event types", len(near.types)) % {
        "n": words.number(len(near.types))
    }
    facts = [
        (_("Kept by"), source.team or _("nobody: it is not registered")),
        (_("Emits"), types),
        (_("Rate"), still.sentence if still else per_minute(rate)),
    ]
    if source.bus:
        facts.append((_("Bus"), source.bus))
    if source.slug:
        actions = [(_("Open source"), reverse("source", args=[source.slug]))]
    else:
        actions = [(_("Register it"), reverse("register-source"))]
    busiest = sorted(sent, key=lambda name: (-sent[name], name))
    joined = [
        Joined(
            fit(found, name),
            name,
            f"{reverse('map')}?{urlencode({'focus': f'type:{name}'})}",
            per_minute(sent[name], "0/min"),
        )
        for name in busiest
    ]
    status = still.status if still else None
    return Panel(source.name, False, status, facts, *_some(joined), actions, _unheard(near, rate))


def _domain(found: Topology, slug: str, near: Kept) -> Panel:
    shelf = next((one for one in found.registered.domains.values() if one.slug == slug), None)
    rate = sum(map(found.rate, near.types))
    types = ngettext("%(n)s event type", "%(n)s event types", len(near.types)) % {
        "n": words.number(len(near.types))
    }
    facts = [(_("Holds"), types), (_("Rate"), per_minute(rate))]
    if shelf and shelf.team:
        facts.insert(0, (_("Kept by"), shelf.team.name))
    actions = (
        []
        if slug == OTHERS
        else [(_("Open its shelf"), f"{reverse('marketplace')}?{urlencode({'domain': slug})}")]
    )
    title = shelf.name if shelf else _("Not in the catalog")
    return Panel(
        title, False, None, facts, *_some(_targets(found, near.rules)), actions, _unheard(near, rate)
    )


def _targets(found: Topology, rules: Iterable[int]) -> list[Joined]:
    """Where those rules deliver, what is in trouble first."""
    listed = [
        Joined(
            found.delivering[target].status if target in found.delivering else None,
            found.registered.places[found.registered.place_of[target]].name,
            reverse("target", args=[target]),
            per_minute(found.passed([target]), "0/min"),
        )
        for pk in rules
        for target in found.registered.rules[pk].targets
    ]
    return sorted(listed, key=lambda one: one.status is None or one.status.kind not in ("bad", "warn"))


def _some(joined: list[Joined]) -> tuple[list[Joined], int]:
    return joined[:JOINED], max(len(joined) - JOINED, 0)


def _count(rate: float) -> int:
    """The number whose grammar a rate takes: only 1 itself is one."""
    return 1 if rate == 1 else max(round(rate), 2)


def _events(rate: float) -> str:
    if not rate:
        return _("New events")
    return ngettext("%(n)s event a minute", "%(n)s events a minute", _count(rate)) % {"n": words.number(rate)}


def _waiting(rate: float) -> str:
    if not rate:
        return _("Nothing would wait right now.")
    text = ngettext(
        "%(n)s delivery a minute would wait.", "%(n)s deliveries a minute would wait.", round(rate)
    )
    return text % {"n": words.number(rate)}


def _unheard(near: Kept, rate: float) -> str:
    if not near.places:
        return _("Nobody would notice: no rule takes any of it.")
    text = ngettext(
        "%(n)s target would hear nothing of it", "%(n)s targets would hear nothing of it", len(near.places)
    ) % {"n": words.number(len(near.places))}
    return f"{text}: {_events(rate).lower()}." if rate else f"{text}."


def _listed(names: Iterable[str], most: int = 3) -> str:
    """`A, B, C and 2 more`, each once."""
    all_of = list(dict.fromkeys(name for name in names if name))
    text = ", ".join(all_of[:most])
    if len(all_of) > most:
        text += " " + _("and %(n)s more") % {"n": words.number(len(all_of) - most)}
    return text
