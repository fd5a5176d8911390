"""The deliveries page: what is wrong first, then the figures, the charts, the targets and what happens now."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.access import needs
from delivery.pages import lines
from delivery.pages.stretch import RANGES, chosen, named
from delivery.pages.summary import drawn, figures, summary, target_lines
from delivery.tracking import attempts, events, waiting
from delivery.tracking.read import now
from rules.models import Rule, Target

TAIL = 8
# Targets that the filter offers; those of more are reached from the list of targets.
OFFERED = 200
# The wire shows so many events, chosen from the newest of so many so that no source crowds out the others.
WIRE, LOOKED_AT = 12, 600


@needs("rules.view_target")
def deliveries(request: HttpRequest) -> HttpResponse:
    """`?range=15m|1h|6h|24h|7d|30d|all` or `?from=…&to=…` (UTC), `?target=` one of them, `?view=table` for the charts'
    figures, `?show=failed` for the tail.
    """
    stretch, own = chosen(request.GET, now())
    only = _target(request.GET.get("target", ""))
    failed = request.GET.get("show") == "failed" and only is None
    as_table = request.GET.get("view") == "table"
    newest = attempts.newest(TAIL, failed) if only is None else attempts.of_target(only.pk, TAIL)
    found = summary(stretch, only.pk if only else None)
    found |= {"figures": figures(found)} if as_table else {"figures": None} | drawn(found)
    context = found | {
        "ranges": RANGES,
        "own": own,
        "topic": f"summary:{stretch.name}{f':{only.pk}' if only else ''}" if stretch.name else "",
        "tail_topic": f"deliveries:{only.pk}" if only else "deliveries:failed" if failed else "deliveries",
        "failed": failed,
        "offered": Target.objects.order_by("name", "pk").values_list("pk", "name")[:OFFERED],
        "tail": lines.of_attempts(newest, request.user),
    }
    return render(request, "delivery/deliveries.html", context)


def _target(text: str) -> Target | None:
    return Target.objects.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None


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
    stretch = named("1h", now())
    context = {"lines": target_lines(targets, owes, stretch), "stretch": stretch, "rule": rule}
    return render(request, "delivery/rule_targets.html", context)
