"""The deliveries page: what is wrong first, then the figures, the charts, the targets and what happens now."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.access import needs
from delivery.pages import lines
from delivery.pages.summary import DEFAULT, RANGES, Stretch, summary, target_lines
from delivery.tracking import attempts, events, rates, waiting
from delivery.tracking.read import now
from rules.models import Rule

TAIL = 8
# The wire shows so many events, chosen from the newest of so many so that no source crowds out the others.
WIRE, LOOKED_AT = 12, 600


@needs("rules.view_target")
def deliveries(request: HttpRequest) -> HttpResponse:
    """`?range=15m|1h|6h|24h`, `?show=failed` for the tail."""
    name = request.GET.get("range", DEFAULT)
    name = name if name in RANGES else DEFAULT
    failed = request.GET.get("show") == "failed"
    context = summary(name) | {
        "ranges": RANGES,
        "failed": failed,
        "tail": lines.of_attempts(attempts.newest(TAIL, failed), request.user),
    }
    return render(request, "delivery/deliveries.html", context)


@needs("rules.view_target")
def tail(request: HttpRequest) -> HttpResponse:
    """The latest attempts as table rows; `?show=failed` for those that did not deliver."""
    failed = request.GET.get("show") == "failed"
    return HttpResponse(lines.attempt_rows(lines.of_attempts(attempts.newest(TAIL, failed), request.user)))


@needs("catalog.view_eventtype")
def wire(request: HttpRequest) -> HttpResponse:
    """The newest events of all buses, for the marketplace: a live list of 12 in which every source keeps its newest."""
    newest = lines.on_the_wire(events.headlines(LOOKED_AT), now(), WIRE)
    return render(request, "delivery/wire.html", {"lines": lines.of_events(newest), "most": WIRE})


@needs("rules.view_target")
def rule_targets(request: HttpRequest, pk: int) -> HttpResponse:
    """The targets of a rule with how they are, for the rule's page."""
    rule = get_object_or_404(Rule, pk=pk)
    targets = list(rule.targets.select_related("rule"))
    owes = waiting.of_targets([target.pk for target in targets])
    stretch: Stretch = RANGES["1h"]
    found = target_lines(targets, owes, stretch, rates.last_minute(now(), stretch.step))
    return render(request, "delivery/rule_targets.html", {"lines": found, "rule": rule})
