"""What deliveries add to the command palette: targets, events, and what can be done to a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.display.json_text import visible
from catalog.navigation import Place
from catalog.palette.entries import MOST, Asked, Entry, Section, best, more_of
from catalog.palette.finding import Verb, own_path, page_of, register, register_verb
from catalog.palette.places import Deed, register_deed, register_place
from delivery.pages import lines
from delivery.tracking import events, subjects
from rules import registry
from rules.models import Target

# Shorter than this is nobody's id or subject, unless it is a number on the log.
SHORTEST = 3


def _targets(what: Asked) -> Section:
    """Targets by name, and by the name of their rule."""
    rows = best(Target.objects.select_related("rule"), what.words, ("name", "rule__name"))
    entries = [
        Entry(
            one.name,
            reverse("target", args=[one.pk]),
            registry.icon_of(one.connector),
            note=one.rule.name,
        )
        for one in rows[:MOST]
    ]
    return Section(_("Targets"), entries, more_of("targets", what) if len(rows) > MOST else "")


def _events(what: Asked) -> Section | None:
    """Events with that id, number or subject, or that a pasted URL of this console leads to."""
    headlines: Sequence[events.Headline] = []
    text = what.query
    if (own := own_path(what)) is not None:
        page, kwargs = page_of(own[0])
        if page in ("journey", "raw-event"):
            headlines = events.headlines_of([kwargs["seq"]])
        elif page == "find":
            text = own[1].get("q", [""])[0].strip()
    if not headlines and (len(text) >= SHORTEST or text.isdecimal()):
        headlines = events.find(text, MOST + 1) or subjects.find(text, MOST + 1)
    entries = [
        Entry(
            visible(line.event.type),
            reverse("journey", args=[line.event.seq]),
            note=visible(line.event.subject or line.event.ce_id),
            mono=True,
            badged=True,
            domain=line.domain,
            at=line.event.received,
        )
        for line in lines.of_events(headlines[:MOST])
    ]
    return Section(_("Events"), entries, more_of("find", what) if len(headlines) > MOST else "")


def _among(
    rows: Callable[[], QuerySet[Target]], page: str, query: str = ""
) -> Callable[..., list[tuple[str, str]]]:
    """Targets by their name, each with `page` as its URL, or with `query` and its id after it."""

    def things(words: Sequence[str], most: int) -> list[tuple[str, str]]:
        return [
            (one.name, f"{reverse(page)}?{query}={one.pk}" if query else reverse(page, args=[one.pk]))
            for one in best(rows(), words, ("name",), most)
        ]

    return things


def _running() -> QuerySet[Target]:
    return Target.objects.filter(state=Target.State.RUNNING)


def _resting() -> QuerySet[Target]:
    return Target.objects.exclude(state=Target.State.RUNNING)


def connect() -> None:
    """Called when Django starts."""
    register("events", 10, "find", _events)
    register("targets", 50, "targets", _targets)
    register_place(Place("welcome", gettext_lazy("Welcome"), "sparkles"))
    pausing = Deed(
        gettext_lazy("Pause or resume targets…"),
        "circle-pause",
        "targets",
        also=gettext_lazy("stop"),
        needs="pause-targets",
    )
    redriving = Deed(
        gettext_lazy("Redrive dead letters…"),
        "redo-2",
        "dead-letters",
        also=gettext_lazy("send again retry"),
        needs="redrive",
    )
    register_deed(pausing)
    register_deed(redriving)
    register_verb(
        "pause",
        Verb(
            lambda name: _("Pause %(name)s…") % {"name": name},
            "circle-pause",
            lambda: _("pause stop target"),
            _among(_running, "target"),
            ("pause-target", 1),
        ),
    )
    register_verb(
        "resume",
        Verb(
            lambda name: _("Resume %(name)s…") % {"name": name},
            "play",
            lambda: _("resume start target"),
            _among(_resting, "target"),
            ("resume-target", 1),
        ),
    )
    register_verb(
        "redrive",
        Verb(
            lambda name: _("Redrive dead letters of %(name)s…") % {"name": name},
            "redo-2",
            lambda: _("redrive retry send again dead letters of"),
            _among(Target.objects.order_by, "dead-letters", "target"),
            ("redrive",),
        ),
    )
