"""Where a new target starts: from now, from a time, or from the oldest event kept; and how many events that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.display import words
from rules import registry
from rules.draft import Draft
from rules.engine import Filter
from rules.filtering import filter_of
from rules.forms import bus_in
from rules.models import Rule, Target
from rules.registry import Since

CHOICES = ("now", "time", "beginning")


@dataclass
class Start:
    """What was chosen. `time` is what was written, read as UTC when it names no zone; `problem` what is wrong."""

    choice: str = "now"
    time: str = ""
    problem: str = ""

    @classmethod
    def read(cls, request: HttpRequest) -> Start:
        """The choice that a form was sent with."""
        choice = request.POST.get("start", "now")
        start = cls(choice if choice in CHOICES else "now", request.POST.get("start-time", "").strip())
        if start.choice == "time" and start.since == "now":
            start.problem = _("Write a day and a time in the past, as in 2026-03-01 08:00.")
        return start

    @classmethod
    def of(cls, target: Target) -> Start:
        """Where a draft's target was said to begin."""
        if target.starts in ("", *CHOICES):
            return cls(target.starts or "now")
        return cls("time", target.starts)

    @property
    def stored(self) -> str:
        """The same as `Target.starts` holds it."""
        return {"now": "", "time": self.time}.get(self.choice, self.choice)

    @property
    def since(self) -> Since:
        """The position; "now" also for a time that is none."""
        if self.choice == "beginning":
            return "beginning"
        try:
            at = parse_datetime(self.time) if self.choice == "time" else None
        except ValueError:
            return "now"
        if at is None:
            return "now"
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return at if at <= datetime.now(UTC) else "now"

    def is_valid(self) -> bool:
        """Whether it names a position."""
        return not self.problem

    def promise(self, wanted: Filter | None, bus: int) -> str:
        """What a target that begins there gets first, in a phrase; "" when it begins now. Ask before it begins."""
        starting = registry.starting()
        if starting is None or wanted is None or self.since == "now":
            return ""
        counted = starting.count(wanted, bus, self.since)
        if not counted.exact:
            return _("more than %(n)s past events first, then every new one") % {
                "n": words.number(counted.matching)
            }
        said = ngettext(
            "%(n)s past event first, then every new one",
            "%(n)s past events first, then every new one",
            counted.matching,
        )
        return said % {"n": words.number(counted.matching)}

    def begin(self, target: Target) -> None:
        """Lets `target` begin there; call it in the transaction that saves it."""
        starting = registry.starting()
        if starting is not None and self.since != "now":
            starting.start(target, self.since)


def promises(rule: Rule) -> list[str]:
    """What the targets of a draft get before new events, a sentence each. Ask before `begin_all`."""
    firsts = [
        (target.name, Start.of(target).promise(filter_of(rule), rule.bus_id))
        for target in rule.targets.exclude(starts="")
    ]
    return [
        _("%(target)s gets %(first)s.") % {"target": name, "first": first} for name, first in firsts if first
    ]


def begin_all(rule: Rule) -> None:
    """Lets the targets of a draft begin where they were said to; call it in the transaction that starts the rule."""
    for target in rule.targets.exclude(starts=""):
        Start.of(target).begin(target)
    rule.targets.exclude(starts="").update(starts="")


@needs("rules.view_rule")
@require_POST
def start_count(request: HttpRequest) -> HttpResponse:
    """How many past events the editor's form would send at once, in words."""
    start, draft, starting = Start.read(request), Draft.read(request.POST, trying=True), registry.starting()
    context: dict[str, object] = {"start": start, "untried": start.since != "now" and draft.filter is None}
    bus = bus_in(request.POST)
    if start.since != "now" and starting is not None and draft.filter is not None and bus is not None:
        try:
            context["counted"] = starting.count(draft.filter, bus.pk, start.since)
        except ValueError as error:
            context["problem"] = str(error)
    return render(request, "rules/start_count.html", context)
