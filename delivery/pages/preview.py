"""What a rule would have done to the latest real events, tried while it is being written. Nothing is sent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.display import words
from catalog.models import Bus, EventType
from delivery.pages import charts
from delivery.pages.outgoing import Outgoing, outgoing
from delivery.tracking import events, rates
from delivery.tracking.events import StoredEvent
from delivery.tracking.read import now
from rules.draft import Draft, without_row
from rules.engine import Event, TransformError, compile, compile_transform, explain
from rules.pages.editor import Delivering, delivering

LATEST, SHOWN, BARS = 500, 12, 60


class Tried(NamedTuple):
    """One past event: whether the rule takes it, and the first condition that failed in words."""

    event: StoredEvent
    taken: bool
    why: str


@needs("rules.view_rule")
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Reads the editor's form as saving it would, and tries it on the latest events of the bus."""
    draft = Draft.read(request.POST)
    bus = (
        get_object_or_404(Bus, pk=request.POST["bus"])
        if request.POST.get("bus", "").isdecimal()
        else Bus.objects.first()
    )
    to = delivering(request) if request.POST.get("deliver") else None
    context: dict[str, Any] = {
        "draft": draft,
        "to": to,
        "bus": bus,
        "name": request.POST.get("target-name", ""),
        "edits_pattern": "name" in request.POST,
    }
    if bus is not None:
        context |= _try(draft, bus, to, request.POST.get("selected", ""))
    return render(request, "delivery/preview.html", context)


def _try(draft: Draft, bus: Bus, to: Delivering | None, selected: str) -> dict[str, Any]:
    began = time.perf_counter()
    latest = events.latest(bus.pk, draft.types, LATEST)
    seen = [Event.from_json(event.raw) for event in latest]
    context: dict[str, Any] = {
        "looked": len(latest),
        "hue": EventType.objects.filter(name__in=draft.types[:1])
        .values_list("domain__hue", flat=True)
        .first(),
        "row_results": _rows(draft, seen),
    }
    rate = _rate(draft.types)
    context |= {"rate": rate, "rate_shown": words.number(rate)}
    if draft.pattern is None:
        return context
    matcher = compile([(1, draft.pattern)])
    taken = [bool(matcher.match(one)) for one in seen]
    tried = [
        Tried(event, hit, "" if hit else _why(draft.pattern, one))
        for event, one, hit in _some(list(zip(latest, seen, taken, strict=True)), selected)
    ]
    chosen = _chosen(tried, selected)
    context |= {
        "taken": sum(taken),
        "share": _percent(sum(taken), len(taken)),
        "passing": words.number(round(rate * sum(taken) / len(taken), 1)) if taken else None,
        "tried": tried,
        "chosen": chosen,
        "bars": _bars(taken),
    }
    if chosen is not None and draft.transform is not None and to is not None:
        context["out"] = _out(draft, to, chosen.event)
        context["size"] = (
            _("%(n)s bytes") % {"n": words.number(context["out"].size)} if context["out"].size else ""
        )
        context["template_ok"], context["template_wrong"] = _all_render(draft, seen, taken)
    context["took"] = (time.perf_counter() - began) * 1000
    return context


def _some(
    found: list[tuple[StoredEvent, Event, bool]], selected: str
) -> list[tuple[StoredEvent, Event, bool]]:
    """The newest events, and among them at least some of each kind when there are any; the selected one stays."""
    shown = found[:SHOWN]
    for wanted in (True, False):
        if not any(hit == wanted for _event, _seen, hit in shown):
            others = [one for one in found[SHOWN:] if one[2] == wanted][:3]
            shown = shown[: SHOWN - len(others)] + others
    if selected.isdecimal() and all(one[0].seq != int(selected) for one in shown):
        shown += [one for one in found if one[0].seq == int(selected)]
    return shown


def _chosen(tried: Sequence[Tried], selected: str) -> Tried | None:
    for one in tried:
        if str(one.event.seq) == selected:
            return one
    return next((one for one in tried if one.taken), tried[0] if tried else None)


def _why(pattern: dict[str, Any], event: Event) -> str:
    failed = explain(pattern, event).failed
    return failed.sentence if failed else ""


def _rows(draft: Draft, seen: Sequence[Event]) -> list[tuple[int, float | None, int, list[Any], Any]]:
    """For each condition: its index, the share of events that pass it alone, how many, its problems, its meter."""
    results: list[tuple[int, float | None, int, list[Any], Any]] = []
    for index, row, problems in draft.lines if draft.mode == "rows" else []:
        alone = (
            without_row(draft, index) if row.path.strip() and not problems and len(draft.rows) < 20 else None
        )
        if alone is None or alone.pattern is None or not seen:
            results.append((index, None, 0, problems, None))
            continue
        matcher = compile([(1, alone.pattern)])
        passed = sum(bool(matcher.match(event)) for event in seen)
        share = 100 * passed / len(seen)
        results.append((index, share, passed, problems, charts.meter(share)))
    return results


def _bars(taken: Sequence[bool]) -> Any:
    """The events in the order they came, in equal stretches: all of them, and those that would have been taken."""
    oldest_first = list(reversed(taken))
    size = max(-(-len(oldest_first) // BARS), 1)
    stretches = [oldest_first[at : at + size] for at in range(0, len(oldest_first), size)]
    if len(stretches) < 2:
        return ""
    label = _("%(taken)s of %(all)s events would have been taken.") % {"taken": sum(taken), "all": len(taken)}
    return charts.shares(
        [sum(stretch) for stretch in stretches], [len(stretch) for stretch in stretches], label
    )


def _rate(types: Sequence[str]) -> float:
    """Events per minute of those types over the last hour; of everything in the last minute without types."""
    if not types:
        return rates.received_per_minute(now())
    received = rates.received_by_type(types, now())
    return round(sum(sum(one.minutes) for one in received.values()) / 60, 1)


def _percent(some: int, of: int) -> str | None:
    if not of:
        return None
    share = 100 * some / of
    return f"{share:.1f}" if 0 < share < 100 and share != round(share) else f"{share:.0f}"


def _out(draft: Draft, to: Delivering, event: StoredEvent) -> Outgoing:
    config = dict(to.chosen.data_now) if to.chosen is not None else {}
    connector = to.chosen.connector.name if to.chosen is not None else "http"
    shown = outgoing(connector, config, draft.transform or {"kind": "complete"}, event.raw)
    return shown._replace(line="POST /bin/…") if to.chosen is None else shown


def _all_render(draft: Draft, seen: Sequence[Event], taken: Sequence[bool]) -> tuple[int, str]:
    """For how many matching events the template gives an output, and why it does not for the first that fails."""
    compiled = compile_transform(draft.transform or {"kind": "complete"})
    if compiled.whole:
        return 0, ""
    good = 0
    for event, hit in zip(seen, taken, strict=True):
        if hit:
            try:
                compiled.apply(event)
            except TransformError as error:
                return good, error.message
            good += 1
    return good, ""
