"""What rules add to the command palette: rules, and subscribing."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.palette.entries import MOST, Asked, Entry, Section, best, more_of
from catalog.palette.finding import Verb, register, register_verb
from catalog.palette.kinds import types_called
from catalog.palette.places import Deed, register_deed
from rules.models import Rule


def _rules(what: Asked) -> Section:
    """Rules by name, description and what their pattern says."""
    rows = best(Rule.objects.all(), what.words, ("name", "description", "pattern"))
    entries = [
        Entry(one.name, reverse("rule", args=[one.pk]), "git-fork", note=one.description)
        for one in rows[:MOST]
    ]
    return Section(_("Rules"), entries, more_of("rules", what) if len(rows) > MOST else "")


def connect() -> None:
    """Called when Django starts."""
    register("rules", 40, "rules", _rules)
    also = gettext_lazy("new rule add create listen")
    register_deed(Deed(gettext_lazy("Subscribe to an event"), "git-fork", "subscribe", also=also))
    register_verb(
        "subscribe",
        Verb(
            lambda name: _("Subscribe to %(name)s") % {"name": name},
            "git-fork",
            lambda: _("subscribe to listen"),
            types_called,
            ("subscribe",),
        ),
    )
