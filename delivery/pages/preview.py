"""What a rule would have done to past events, tried while it is being written. Nothing is sent."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.display import words
from catalog.languages.telling import told
from catalog.models import Bus, EventType
from catalog.traffic import per_minute
from delivery.pages import charts, samples
from delivery.pages.outgoing import Outgoing, outgoing
from delivery.pages.pressable import event_html
from delivery.pages.probing import asks, rows_asking, sample_for
from delivery.pages.samples import Sample, Seen
from delivery.pages.used import used_by
from delivery.tracking import rates, status, waiting
from delivery.tracking.read import MINUTE, moment, now
from rules import registry
from rules.contract import Contract
from rules.contracting import Contracting
from rules.draft import Draft
from rules.engine import Event, TransformError, compile_transform
from rules.forms import bus_in, number_of
from rules.models import Target
from rules.outputs import output_of, refusals, sends_documents, try_outputs
from rules.pages.delivering import Delivering, delivering, rule_name, suggested_name
from rules.pattern_text import our_path
from rules.personal_fields import fields_sent
from rules.policy_form import PolicyForm
from rules.trying import Tried, reason, try_on
from rules.unknown_fields import Unknown, misread, unknown_fields

SHOWN, BARS, VALUES = 12, 60, 2
LONGEST = 0.06  # seconds that filling the transform for all matching events may take
WINDOW = "latest"
_FIELD = re.compile(r"^data\.(?:[^\s.]+\.)*(?=[^\s.]+ )")


class Line(NamedTuple):
    """One past event of the list: whether the rule takes it, the first condition that failed, values it looks at.

    `refused`: why a taken one cannot be sent, "" when it can.
    """

    event: Seen
    taken: bool
    why: str
    values: str
    refused: str = ""

    @property
    def short(self) -> str:
        """The reason with the last name of the field only: a list has little room."""
        return _FIELD.sub("", self.why)


class RowResult(NamedTuple):
    """A condition's place, the share of events that meet it alone (0 to 100), how many, its problems, its meter.

    `hidden`: it asks for personal data that whoever looks may not see, so nothing is counted. `unknown`: that its
    field is one that nothing has.
    """

    at: int
    share: float | None
    passed: int
    problems: list[Any]
    meter: Any
    hidden: bool = False
    unknown: Unknown | None = None


@needs("rules.view_rule")
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Reads the editor's form as saving it would, and tries it on past events of the bus.

    Field `window`: live, latest, day or week; `selected`: the seq of the event that goes in. Without script it is a
    page of its own.
    """
    began = time.perf_counter()
    draft, bus, target = Draft.read(request.POST, trying=True), bus_in(request.POST), target_of(request)
    to = delivering(request, target) if request.POST.get("deliver") else None
    window = request.POST.get("window", WINDOW)
    named, suggested_rule = "", ""
    if to is not None and "name-suggested" in request.POST:
        named, suggested_rule = rule_name(request, to, draft.types, bus)
    suggested = name_for(request, to, named) if to is not None and target is None else ""
    context: dict[str, Any] = {
        "draft": draft,
        "to": to,
        "targets": list(Target.objects.filter(rule=number_of(request.POST.get("rule"))))
        if to is None
        else [],
        "contracting": Contracting.read(request.POST),
        "bus": bus,
        "name": request.POST.get("target-name", "").strip() or suggested,
        "suggested": suggested,
        "suggested_rule": suggested_rule,
        "edits_pattern": "name" in request.POST,
        "windows": samples.windows(),
        "window": window if window in [one.name for one in samples.windows()] else WINDOW,
        "where": where_of(to),
        "status": status.of_target(target, waiting.of_targets([target.pk])[target.pk]) if target else None,
        "tries": PolicyForm.of_editor(request.POST, target).most_tries,
    }
    if bus is not None:
        context |= _try(request, draft, bus, to, context["contracting"], context["window"])
    context["took"] = (time.perf_counter() - began) * 1000
    context["by_script"] = by_script = bool(request.headers.get("HX-Request"))
    return render(request, "delivery/preview.html" if by_script else "delivery/preview_page.html", context)


def name_for(request: HttpRequest, to: Delivering, named: str = "") -> str:
    """What the new target of the form is called when it is given no name; `named`: the rule, "" as the form names it."""
    return suggested_name(to, named or request.POST.get("name", ""), number_of(request.POST.get("rule")))


def where_of(to: Delivering | None) -> str:
    """Where it goes, in a line without secrets; "" while that cannot be said."""
    chosen = to.chosen if to is not None else None
    if chosen is None:
        return ""
    found = registry.describe(chosen.connector.name, chosen.data_now)
    return found if found != chosen.connector.label else ""


def target_of(request: HttpRequest) -> Target | None:
    """The saved target that the form edits, so that its stored secrets count; None for a new one."""
    chosen = request.POST.get("target", "")
    if not chosen.isdecimal() or not request.user.has_perm("rules.change_target"):
        return None
    return Target.objects.select_related("rule").filter(pk=chosen).first()


def _try(
    request: HttpRequest,
    draft: Draft,
    bus: Bus,
    to: Delivering | None,
    contracting: Contracting,
    window: str,
) -> dict[str, Any]:
    types = draft.sampled
    found, hidden = sample_for(request.user, samples.take(bus.pk, types, window))
    blind = asks(draft, hidden)
    events = [seen.event for seen in found.events]
    tried, unknown = try_on(draft, events), unknown_fields(draft, events)
    first = EventType.objects.filter(name__in=types[:1]).values_list("domain__hue", flat=True).first()
    rate = _rate(types)
    context: dict[str, Any] = {
        "types": types,
        "looked": len(found.events),
        "span": found.span,
        "hue": first,
        "row_results": _rows(draft, tried, len(found.events), rows_asking(draft, hidden), unknown),
        "unknown": unknown,
        "sql_share": _percent(tried.by_sql, len(found.events))
        if tried.by_sql is not None and not blind
        else None,
        "blind": blind,
        "rate": rate,
        "rate_shown": words.number(rate),
    }
    # Whether what is sent is good would tell of hidden values, too.
    context["unchecked"] = unchecked = bool(draft.transform and fields_sent(draft.transform, hidden))
    if tried.taken is None or blind:
        # The event can still be read and its values pressed.
        chosen = _picked(found, request.POST.get("selected", ""))
        return (
            context
            | (_in_and_out(request, draft, to, [chosen], chosen) if chosen else {})
            | {"chosen": chosen}
        )
    taken = sum(tried.taken)
    lines = _lines(draft, found, tried.taken, request.POST.get("selected", ""))
    if to is not None and not unchecked:
        lines = _refused(draft, to, contracting.compiled, lines)
    chosen = _chosen(lines, request.POST.get("selected", ""))
    context |= {
        "taken": taken,
        "share": _percent(taken, len(tried.taken)),
        "passing": words.number(round(rate * taken / len(tried.taken), 1)) if tried.taken else None,
        "tried": lines,
        "chosen": chosen,
        "bars": _bars(found, tried.taken),
    }
    if chosen is not None:
        context |= _in_and_out(request, draft, to, lines, chosen)
    if to is not None and draft.transform is not None:
        if not unchecked:
            context |= _outputs(draft, to, contracting.compiled, found.events, tried.taken)
        context["sent"] = _sent(draft, contracting, chosen.event.event) if chosen is not None else None
    return context


def _lines(draft: Draft, found: Sample, taken: Sequence[bool], selected: str) -> list[Line]:
    """The newest events, and among them at least some of each kind when there are any; the selected one stays."""
    pairs = list(zip(found.events, taken, strict=True))
    shown = pairs[:SHOWN]
    for wanted in (True, False):
        if not any(hit == wanted for _seen, hit in shown):
            others = [pair for pair in pairs[SHOWN:] if pair[1] == wanted][:3]
            shown = shown[: SHOWN - len(others)] + others
    if selected.isdecimal() and all(seen.seq != int(selected) for seen, _hit in shown):
        shown += [pair for pair in pairs if pair[0].seq == int(selected)]
    paths = _looked_at(draft)
    return [
        Line(seen, hit, "" if hit else told(reason(draft, seen.event)), _values(seen.event, paths))
        for seen, hit in shown
    ]


def _looked_at(draft: Draft) -> list[str]:
    """The first paths that conditions look at."""
    return list(dict.fromkeys(our_path(row.path) for row in draft.rows if row.path.strip()))[:VALUES]


def _refused(draft: Draft, to: Delivering, contract: Contract | None, lines: list[Line]) -> list[Line]:
    """The lines, those that are taken and cannot be sent with the reason."""
    if draft.transform is None or (contract is None and draft.transform["kind"] in ("complete", "constant")):
        return lines
    taken = [line for line in lines if line.taken]
    why = refusals(draft.transform, contract, [line.event.event for line in taken], _is_structured(to))
    refused = {line.event.seq: wrong for line, wrong in zip(taken, why, strict=True)}
    return [line._replace(refused=refused.get(line.event.seq, "")) for line in lines]


def _is_structured(to: Delivering) -> bool:
    return to.chosen is not None and sends_documents(to.chosen.data_now)


def _values(event: Event, paths: Sequence[str]) -> str:
    """What the event has at the first fields that the rule looks at."""
    found = []
    for path in paths:
        value: Any = event.data if path.startswith("data.") else event.attributes.get(path)
        for name in path.split(".")[1:]:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = value if isinstance(value, str) else json.dumps(value)
            found.append(text if len(text) <= 18 else text[:17] + "…")
    return " ".join(found)


def _chosen(lines: Sequence[Line], selected: str) -> Line | None:
    for line in lines:
        if str(line.event.seq) == selected:
            return line
    return next((line for line in lines if line.taken), lines[0] if lines else None)


def _picked(found: Sample, selected: str) -> Line | None:
    """The selected event, else the newest, of which nothing is known."""
    seen = next((seen for seen in found.events if str(seen.seq) == selected), None)
    seen = seen or next(iter(found.events), None)
    return Line(seen, False, "", "") if seen is not None else None


def _in_and_out(
    request: HttpRequest, draft: Draft, to: Delivering | None, lines: Sequence[Line], chosen: Line
) -> dict[str, Any]:
    at = list(lines).index(chosen)
    raw = chosen.event.event.to_json()
    context: dict[str, Any] = {
        "before": lines[at - 1].event.seq if at else None,
        "after": lines[at + 1].event.seq if at + 1 < len(lines) else None,
        "event_html": event_html(raw, _press_url(request), used_by(draft.transform, chosen.event.event)),
    }
    if draft.transform is not None and to is not None:
        context["out"] = out = _out(draft, to, raw)
        context["size"] = _("%(n)s bytes") % {"n": words.number(out.size)} if out.size else ""
    return context


def _press_url(request: HttpRequest) -> str:
    """Where a pressed value is added to the conditions; "" when the form does not edit any or there is no script."""
    if "name" not in request.POST or not request.headers.get("HX-Request"):
        return ""
    rule = request.POST.get("rule", "")
    if rule.isdecimal():
        return reverse("edit-rule", args=[rule])
    return reverse("subscribe-here" if "inline" in request.POST else "subscribe")


def _out(draft: Draft, to: Delivering, raw: bytes) -> Outgoing:
    transform = draft.transform or {"kind": "complete"}
    if to.chosen is not None:
        return outgoing(to.chosen.connector.name, to.chosen.shown_now, transform, raw, now=True)
    # A place that is not made yet: what it will be sent is known, its address is not.
    shown = outgoing("http", {"url": "http://127.0.0.1/"}, transform, raw, now=True)
    headers = [pair for pair in shown.headers if pair[0] != "host"]
    return shown._replace(line="POST /bin/… HTTP/1.1" if not shown.problem else "", headers=headers)


def _rows(
    draft: Draft, tried: Tried, looked: int, hidden: Collection[int], unknown: Sequence[Unknown]
) -> list[RowResult]:
    results = []
    nowhere = {one.at: one for one in unknown}
    for index, _row, problems in draft.lines if draft.mode == "rows" else []:
        passed = tried.by_row.get(index)
        if passed is None or not looked or index in hidden:
            results.append(RowResult(index, None, 0, problems, None, index in hidden, nowhere.get(index)))
        else:
            share = 100 * passed / looked
            results.append(
                RowResult(index, share, passed, problems, charts.meter(share), False, nowhere.get(index))
            )
    return results


def _bars(found: Sample, taken: Sequence[bool]) -> Any:
    """Events over time in equal stretches: all of them, and those that would have been taken."""
    if len(found.events) < 2:
        return ""
    first, last = (
        found.events[-1].received_at,
        max(found.events[0].received_at, found.events[-1].received_at + 1),
    )
    everything, some = [0] * BARS, [0] * BARS
    for seen, hit in zip(found.events, taken, strict=True):
        slot = min(max((seen.received_at - first) * BARS // (last - first), 0), BARS - 1)
        everything[slot] += 1
        some[slot] += hit
    label = _("%(taken)s of %(all)s events would have been taken.") % {"taken": sum(taken), "all": len(taken)}
    spans = (last - first) / MINUTE
    shape = _("d M") if spans > 24 * 60 else "H:i" if spans > 10 else "H:i:s"
    times = [date_format(moment(first + (last - first) * part // 4), shape) for part in range(5)]
    if now() - last < (last - first) // 20:
        times[-1] = _("now")
    return charts.shares(some, everything, label, times)


def _rate(types: Sequence[str]) -> float:
    """Events per minute of those types over the last hour; of everything in the last minute without types."""
    if not types:
        return rates.received_per_minute(now())
    received = rates.received_by_type(types, now())
    return round(sum(per_minute(one.minutes) for one in received.values()), 1)


def _percent(some: int, of: int) -> str | None:
    if not of:
        return None
    share = 100 * some / of
    return f"{share:.1f}" if 0 < share < 100 and share != round(share) else f"{share:.0f}"


def _outputs(
    draft: Draft, to: Delivering, contract: Contract | None, events: Sequence[Seen], taken: Sequence[bool]
) -> dict[str, Any]:
    """For how many matching events there is something to send that the target takes, and why not for the first other."""
    transform = draft.transform or {"kind": "complete"}
    if transform["kind"] == "complete" and contract is None:
        return {}
    matching = [seen.event for seen, hit in zip(events, taken, strict=True) if hit]
    structured = _is_structured(to)
    outputs = try_outputs(transform, contract, matching, structured, LONGEST)
    return {
        "outputs": outputs,
        "has_contract": contract is not None,
        "unread": misread(outputs.unread, draft.fields, matching[:1]),
    }


def _sent(draft: Draft, contracting: Contracting, event: Event) -> dict[tuple[str, ...], str] | None:
    """What the chosen event sends at each field of the contract, as JSON; "" for nothing."""
    if not contracting.fields or draft.transform is None:
        return None
    try:
        output = output_of(compile_transform(draft.transform), event, False)
        value = json.loads(output.body)
    except (TransformError, ValueError, RecursionError):
        return None
    found = {}
    for one in contracting.fields:
        at: Any = value
        for name in one.path:
            if name == "[]":
                at = at[0] if isinstance(at, list) and at else None
            else:
                at = at.get(name) if isinstance(at, dict) else None
        text = "" if at is None else json.dumps(at, ensure_ascii=False)
        found[one.path] = text if len(text) <= 60 else text[:59] + "…"
    return found
