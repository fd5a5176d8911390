"""The map: who tells whom, drawn as lines, and the same as a table; focus on one node; a drawing to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.access import needs
from catalog.changes import OWN
from catalog.display import words
from delivery.map.drawing import Picture, svg
from delivery.pages import map_kept, map_shown, map_side, map_table
from delivery.pages.map_kept import Kept
from delivery.pages.map_shown import FEW, MOST, NEAR, Links, Shown
from delivery.tracking import topology
from delivery.tracking.topology import Topology

ROWS = 100
FOUND = 6
LONGEST = 400


class Asked(NamedTuple):
    """What a map's address asks for."""

    focus: str
    domains: tuple[str, ...]
    trouble: bool
    own: bool
    show: int
    table: bool
    sort: str

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        """What is not understood counts as not asked for."""
        show = query.get("show", "")
        sort = query.get("sort", "")
        return cls(
            query.get("focus", "")[:LONGEST],
            tuple(dict.fromkeys(query.getlist("domain")))[:40],
            query.get("trouble") == "1",
            query.get("own") == "1",
            min(max(int(show), FEW), MOST) if show.isdecimal() and len(show) < 6 else FEW,
            query.get("view") == "table",
            sort if sort.removeprefix("-") in map_table.SORTS else map_table.DEFAULT,
        )

    def address(self, page: str = "map", **changes: Any) -> str:
        """The address of a map like this one, with changes."""
        other = self._replace(**changes)
        query = QueryDict(mutable=True)
        query.setlist("domain", list(other.domains))
        for name, value in (
            ("trouble", "1" if other.trouble else ""),
            ("own", "1" if other.own else ""),
            ("show", str(other.show) if other.show != FEW else ""),
            ("view", "table" if other.table else ""),
            ("sort", other.sort if other.sort != map_table.DEFAULT and other.table else ""),
            ("focus", other.focus),
        ):
            if value:
                query[name] = value
        text = query.urlencode(safe=":/")
        return reverse(page) + (f"?{text}" if text else "")


class Made(NamedTuple):
    """A map as it was asked for: the neighbourhood in focus and its key ("" without), how much is in trouble, and
    whether it shows what tells of Signalbox itself."""

    found: Topology
    shown: Shown
    near: Kept | None
    focus: str
    trouble: int
    own: bool
    is_empty: bool


@needs("rules.view_target")
def whole_map(request: HttpRequest) -> HttpResponse:
    """`?focus=type:order.placed` (source:, rule:, target:, domain:), `domain=`, `trouble=1`, `own=1`, `show=`, `view=table&sort=`."""
    asked = Asked.of(request.GET)
    made = _made(asked)
    context = _frame(asked, made) | {"panel": None, "drawing": None}
    if made.near is not None:
        context["panel"] = map_side.panel(made.found, made.focus, made.near)
    if asked.table:
        listed = map_table.ways(made.shown, asked.sort)
        context["page"] = Paginator(listed, ROWS).get_page(request.GET.get("page"))
        context["heads"] = _heads(asked)
    else:
        context["drawing"] = mark_safe(svg(made.shown.graph, _picture(made, wide=made.near is None)))
    if request.headers.get("HX-Target") == "map-drawing":
        return render(request, "delivery/map_drawing.html", context | {"again": True})
    return render(request, "delivery/map.html", context)


@needs("rules.view_target")
def map_as_svg(request: HttpRequest) -> HttpResponse:
    """The same map as a file of its own: an SVG with its style in it, on light paper."""
    made = _made(Asked.of(request.GET))
    text = svg(made.shown.graph, _picture(made, wide=True, alone=True))
    response = HttpResponse(text, content_type="image/svg+xml")
    response["Content-Disposition"] = 'attachment; filename="signalbox-map.svg"'
    return response


@needs("rules.view_target")
def find_on_map(request: HttpRequest) -> HttpResponse:
    """`?q=` sources, event types, rules and targets with these letters in their names; to htmx a list, else a page."""
    query = request.GET.get("q", "").strip()[:LONGEST]
    found = _find(query) if query else []
    if request.headers.get("HX-Request"):
        return render(request, "delivery/map_found.html", {"query": query, "found": found})
    if len(found) == 1:
        return redirect(found[0].url)
    return render(request, "delivery/map_find.html", {"query": query, "found": found})


class Match(NamedTuple):
    """Something that the search found: what it is, its icon, and the address of the map with it in focus."""

    kind: str
    icon: str
    name: str
    url: str


def _made(asked: Asked) -> Made:
    found = topology.reader.read()
    inside = map_kept.of_domains(found, asked.domains) if asked.domains else map_kept.everything(found)
    own = asked.own or OWN in asked.domains
    if not own:
        plain = map_kept.without_own(found, inside)
        # What is followed is shown, whatever it is; a rule that takes them is followed to them.
        near = map_kept.near(found, asked.focus, inside) if asked.focus else None
        own = near is not None and near != map_kept.without_own(found, near)
        inside = inside if own else plain
    troubled, trouble = map_kept.in_trouble(found, inside)
    if asked.trouble:
        inside = troubled
    near = map_kept.near(found, asked.focus, inside) if asked.focus else None
    focus = map_kept.canonical(found, asked.focus) if near is not None else ""
    links = Links(lambda key: asked.address(focus=key), lambda step: asked.address(show=step))
    if near is None:
        shown = map_shown.shown(found, inside, None, asked.show, links)
    elif inside.largest <= FEW:
        # A small map stays as it is, and all but the neighbourhood steps back.
        shown = map_shown.shown(found, inside, near, FEW, links)
    else:
        shown = map_shown.shown(found, near, None, max(asked.show, NEAR), links)
    whole = map_kept.everything(found)
    is_empty = not any(map(len, whole if own else map_kept.without_own(found, whole)))
    return Made(found, shown, near, focus, trouble, own, is_empty)


def _picture(made: Made, wide: bool, alone: bool = False) -> Picture:
    heads = (_("Sources"), _("Event types"), _("Rules"), _("Targets"))
    return Picture(heads, _label(made.shown), made.shown.live, made.focus, wide, alone)


def _label(shown: Shown) -> str:
    sources, types, rules, targets = shown.counts
    parts = (
        ngettext("%(n)s source", "%(n)s sources", sources) % {"n": words.number(sources)},
        ngettext("%(n)s event type", "%(n)s event types", types) % {"n": words.number(types)},
        ngettext("%(n)s rule", "%(n)s rules", rules) % {"n": words.number(rules)},
        ngettext("%(n)s target", "%(n)s targets", targets) % {"n": words.number(targets)},
    )
    return _("Map: %(parts)s. The same facts are in the table view.") % {"parts": ", ".join(parts)}


def _frame(asked: Asked, made: Made) -> dict[str, Any]:
    """What stands around the map: views, domains, what is in focus."""
    chosen = set(asked.domains)
    domains = []
    for domain in made.found.registered.domains.values():
        if domain.slug == OWN and not made.own:
            continue
        others = tuple(slug for slug in asked.domains if slug != domain.slug)
        wanted = others if domain.slug in chosen else (*asked.domains, domain.slug)
        domains.append((domain, domain.slug in chosen, asked.address(domains=wanted, focus="")))
    # Those that are chosen stay in sight where there are many.
    domains.sort(key=lambda one: not one[1])
    title = ""
    if made.near is not None:
        node = made.shown.graph.nodes.get(made.focus)
        title = node.name if node else map_kept.title_of(made.found, made.focus)
    return {
        "asked": asked,
        "here": asked.address(),
        "as_map": asked.address(table=False),
        "as_table": asked.address(table=True),
        "as_svg": asked.address(page="map-svg", table=False),
        "plain": asked.address(focus=""),
        "whole": reverse("map"),
        "with_trouble": asked.address(trouble=not asked.trouble, focus=""),
        "with_own": asked.address(own=not asked.own, focus=""),
        "own_types": len(map_kept.own_types(made.found)),
        "domains": domains,
        "no_domain": asked.address(domains=()),
        "title": title,
        "lost": asked.focus if asked.focus and made.near is None else "",
        "trouble": made.trouble,
        "more": asked.address(show=made.shown.more) if made.shown.more else "",
        "shown_types": sum(1 for node in made.shown.graph.columns[1] if not node.many),
        "all_types": made.shown.counts[1],
        "is_empty": made.is_empty,
        "nothing": not any(made.shown.counts),
        "label": _label(made.shown),
    }


def _heads(asked: Asked) -> list[dict[str, Any]]:
    """The heads of the table: label, address that sorts by it, and how it is sorted now."""
    labels = (
        ("type", _("Event type")),
        ("rate", _("Events per minute")),
        ("source", _("Sources")),
        ("rule", _("Rule")),
        ("target", _("Target")),
        ("passed", _("Sent per minute")),
        ("status", _("Status")),
    )
    heads = []
    for name, label in labels:
        numbers = name in ("rate", "passed")
        now = asked.sort.removeprefix("-") == name
        first, other = (f"-{name}", name) if numbers else (name, f"-{name}")
        heads.append(
            {
                "label": label,
                "numbers": numbers,
                "url": asked.address(sort=other if now and asked.sort == first else first),
                "sorted": ("descending" if asked.sort.startswith("-") else "ascending") if now else "",
            }
        )
    return heads


def _find(query: str) -> list[Match]:
    """Up to six of each kind whose name holds the letters of `query`, in any case; those that begin with them first."""
    known = topology.reader.registered()
    wanted = query.casefold()

    def named(listed: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        fitting = [one for one in listed if wanted in one[0].casefold()]
        return sorted(fitting, key=lambda one: (not one[0].casefold().startswith(wanted), one[0].casefold()))[
            :FOUND
        ]

    kinds = (
        (_("event type"), "tag", [(name, f"type:{name}") for name in known.types]),
        (_("source"), "radio-tower", [(one.name, f"source:{one.uri}") for one in known.sources.values()]),
        (_("rule"), "git-fork", [(one.name, f"rule:{one.pk}") for one in known.rules.values()]),
        (_("target"), "target", [(one.name, f"target:{one.key}") for one in known.places.values()]),
        (_("domain"), "train-front", [(one.name, f"domain:{one.slug}") for one in known.domains.values()]),
    )
    return [
        Match(kind, icon, name, f"{reverse('map')}?{urlencode({'focus': key}, safe=':/')}")
        for kind, icon, listed in kinds
        for name, key in named(listed)
    ]
