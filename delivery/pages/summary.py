"""What the deliveries page says: what is wrong, the figures, the charts and the targets, for one stretch of time."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import words
from catalog.traffic import per_minute
from delivery.bins.found import bins_of, shown_as
from delivery.deadletters import listing
from delivery.pages import charts, reconciled
from delivery.pages.veil import reason_veiled, rules_with_hidden
from delivery.tracking import breakers, rates, status, waiting
from delivery.tracking.rates import Delivered
from delivery.tracking.read import MINUTE, now, rows
from delivery.tracking.status import Status
from delivery.tracking.waiting import Waiting
from rules.models import Target


class Stretch(NamedTuple):
    """A range of time: `minutes` long, drawn in bars of `step` minutes."""

    label: str
    minutes: int
    step: int

    def running(self, at: int) -> float:
        """The share of the last bar that has passed at the instant `at` (microseconds)."""
        return at % (self.step * MINUTE) / (self.step * MINUTE)


RANGES = {
    "15m": Stretch("15 min", 15, 1),
    "1h": Stretch("1 h", 60, 1),
    "6h": Stretch("6 h", 360, 5),
    "24h": Stretch("24 h", 1440, 20),
}
DEFAULT = "1h"
SHOWN = 50
COUNTED = 200


class Need(NamedTuple):
    """Something that needs a person: `kind` bad or warn, a sentence in two parts, where to look and what to do."""

    kind: str
    headline: str
    cause: str
    target: Target
    seq: int | None
    dead: int


class TargetLine(NamedTuple):
    """A row of the targets table."""

    target: Target
    icon: str
    label: str
    status: Status
    waiting: Waiting
    delivered: Delivered
    rate: float
    p95: float | None
    line: list[int]
    shade: str


def summary(name: str) -> dict[str, Any]:
    """Everything the page shows for the range of that name, read now."""
    stretch = RANGES[name]
    at = now()
    last = rates.last_minute(at, stretch.step)
    first = last - stretch.minutes + 1
    slots = rates.delivered(first, last, stretch.step)
    whole = rates.total(slots)
    targets = list(Target.objects.select_related("rule").order_by("name", "pk")[:SHOWN])
    owes = waiting.of_targets(sorted({*(target.pk for target in targets), *_most_lively()}))
    total = waiting.total(owes.values())
    groups = listing.groups()
    dead = sum(group.size for group in groups)
    lines = target_lines(targets, owes, stretch, last)
    return {
        "range": name,
        "stretch": stretch,
        "whole": whole,
        "share": None if whole.share is None else words_share(whole.share),
        "rate": per_minute([slot.delivered for slot in slots], stretch.step, stretch.running(at)),
        "median": whole.percentile(0.5),
        "p95": whole.percentile(0.95),
        "owes": total,
        "dead": dead,
        "dead_where": _dead_where(groups),
        "needs": _needs(groups, owes),
        "reconciled": reconciled.last(),
        "chart": charts.deliveries(slots, first, stretch.step, _chart_label(whole, stretch)),
        "latency_chart": charts.time_to_deliver(slots, first, stretch.step, _latency_label(whole)),
        "share_line": [100 * (1.0 if slot.share is None else slot.share) for slot in slots]
        if whole.share
        else [],
        "delivered_line": [slot.delivered for slot in slots],
        "failed_line": [slot.retried for slot in slots],
        "dead_line": [slot.dead for slot in slots],
        "median_line": [slot.percentile(0.5) or 0 for slot in slots],
        "lines": lines,
        "target_count": Target.objects.count(),
    }


def target_lines(
    targets: list[Target], owes: dict[int, Waiting], stretch: Stretch, last: int
) -> list[TargetLine]:
    """Rows for those targets over `stretch`, ending with minute `last`."""
    first = last - stretch.minutes + 1
    running = stretch.running(now())
    ids = [target.pk for target in targets]
    done = rates.delivered_by_target(first, last, ids)
    lines = rates.lines_by_target(first, last, stretch.step, ids)
    bins = bins_of(targets)
    rows_ = []
    for target in targets:
        state = status.of_target(target, owes.get(target.pk, waiting.NONE))
        count = done.get(target.pk, rates.NOTHING)
        rows_.append(
            TargetLine(
                target,
                *shown_as(target.connector, target.pk in bins),
                state,
                owes.get(target.pk, waiting.NONE),
                count,
                per_minute(lines[target.pk], stretch.step, running),
                count.percentile(0.95),
                lines[target.pk],
                state.kind,
            )
        )
    return rows_


def words_share(share: float) -> str:
    """A share in percent: 99.96, 100 only when nothing failed."""
    if share >= 1:
        return "100"
    return f"{min(share * 100, 99.99):.2f}" if share > 0.99 else f"{share * 100:.1f}"


def _most_lively() -> list[int]:
    """The targets that were routed to last: with thousands of targets the figures count these."""
    found = rows("SELECT target FROM log_ready GROUP BY target ORDER BY max(seq) DESC LIMIT %s", [COUNTED])
    return [int(target) for (target,) in found]


def _needs(groups: list[listing.Group], owes: dict[int, Waiting]) -> list[Need]:
    """What needs a person, the worst first, at most three."""
    found = []
    stopped = (
        Target.objects.filter(state__in=(Target.State.STOPPED, Target.State.DISABLED))
        .select_related("rule")
        .order_by("-state_since")[:3]
    )
    veiled = rules_with_hidden(None)
    for target in stopped:
        queued = owes.get(target.pk, waiting.NONE).waiting
        wait = ngettext("%(n)s event waits.", "%(n)s events wait.", queued) % {"n": words.number(queued)}
        since = words.moment(target.state_since).strftime("%H:%M")
        sentence = (
            _("%(target)s asked not to be called again: disabled since %(since)s.")
            if target.state == Target.State.DISABLED
            else _("%(target)s has stopped since %(since)s.")
        )
        headline = sentence % {"target": target.name, "since": since}
        found.append(
            Need(
                "bad",
                headline,
                f"{_said(target, target.state_reason, veiled)} {wait}".strip(),
                target,
                None,
                0,
            )
        )
    found += _not_answering(owes, {need.target.pk for need in found}, veiled)
    names = {
        target.pk: target
        for target in Target.objects.filter(pk__in={group.target for group in groups[:10]}).select_related(
            "rule"
        )
    }
    per_target: dict[int, int] = {}
    for group in groups:
        per_target[group.target] = per_target.get(group.target, 0) + group.size
    for group in groups[:10]:
        refused_by = names.get(group.target)
        if refused_by is None or any(need.target.pk == group.target for need in found):
            continue
        headline = ngettext(
            "%(target)s has not taken %(n)s event since %(since)s.",
            "%(target)s has not taken %(n)s events since %(since)s.",
            group.size,
        ) % {"target": refused_by.name, "n": words.number(group.size), "since": _since(group.first_at)}
        found.append(
            Need(
                "bad",
                headline,
                _said(refused_by, group.example, veiled) + _held_up(owes.get(group.target, waiting.NONE)),
                refused_by,
                group.last_seq,
                per_target[group.target],
            )
        )
    found += _retrying(owes, {need.target.pk for need in found})
    return found[:3]


def _said(target: Target, reason: str, veiled: set[int]) -> str:
    """The page is the same for everybody who looks: where an event may be personal, no answer is quoted on it."""
    return reason_veiled(reason) if target.rule_id in veiled else reason


def _held_up(owed: Waiting) -> str:
    """A further sentence where exceptions hold up everything that comes after."""
    if not owed.full_of_exceptions:
        return ""
    words_ = _("Nothing new is read for it: %(n)s events wait behind others or are tried again.")
    return f" {words_ % {'n': words.number(owed.held)}}"


def _not_answering(owes: dict[int, Waiting], told: set[int], veiled: set[int]) -> list[Need]:
    """Targets whose breaker is open."""
    left = breakers.every()
    targets = Target.objects.filter(pk__in=left.keys() - told, state=Target.State.RUNNING).select_related(
        "rule"
    )[:3]
    needs = []
    for target in targets:
        breaker = left[target.pk]
        headline = _("%(target)s does not answer since %(since)s.") % {
            "target": target.name,
            "since": _since(breaker.since),
        }
        queued = owes.get(target.pk, waiting.NONE).waiting
        wait = ngettext("%(n)s event waits.", "%(n)s events wait.", queued) % {"n": words.number(queued)}
        needs.append(
            Need("bad", headline, f"{_said(target, breaker.reason, veiled)} {wait}".strip(), target, None, 0)
        )
    return needs


def _retrying(owes: dict[int, Waiting], told: set[int]) -> list[Need]:
    slow = sorted(
        (pk for pk, owed in owes.items() if owed.retrying and pk not in told),
        key=lambda pk: -owes[pk].retrying,
    )
    targets = {target.pk: target for target in Target.objects.filter(pk__in=slow[:3]).select_related("rule")}
    needs = []
    for pk in slow[:3]:
        if pk not in targets:
            continue
        latest = rows(
            "SELECT seq, reason FROM runner_exception WHERE target = %s AND reason IS NOT NULL ORDER BY seq DESC LIMIT 1",
            [pk],
        )
        seq, reason = latest[0] if latest else (None, "")
        headline = ngettext(
            "%(target)s did not take %(n)s event yet; it is tried again.",
            "%(target)s did not take %(n)s events yet; they are tried again.",
            owes[pk].retrying,
        ) % {"target": targets[pk].name, "n": words.number(owes[pk].retrying)}
        needs.append(Need("warn", headline, reason or "", targets[pk], seq, 0))
    return needs


def _since(microseconds: int) -> str:
    at = words.moment(microseconds)
    return (
        at.strftime("%H:%M")
        if now() - microseconds < 20 * 3600 * 1_000_000
        else date_format(at, _("d M H:i"))
    )


def _dead_where(groups: list[listing.Group]) -> str:
    ids = {group.target for group in groups}
    if len(ids) == 1:
        name = Target.objects.filter(pk=ids.pop()).values_list("name", flat=True).first()
        return _("all %(target)s") % {"target": name} if name else ""
    return ngettext("at %(n)s target", "at %(n)s targets", len(ids)) % {"n": len(ids)} if ids else ""


def _chart_label(whole: Delivered, stretch: Stretch) -> str:
    return _(
        "Deliveries over the last %(range)s: %(delivered)s delivered, %(retried)s retried, %(dead)s given up."
    ) % {
        "range": stretch.label,
        "delivered": words.number(whole.delivered),
        "retried": words.number(whole.retried),
        "dead": words.number(whole.dead),
    }


def _latency_label(whole: Delivered) -> str:
    return _("Time to deliver: median %(median)s, 95th percentile %(p95)s.") % {
        "median": words.duration(whole.percentile(0.5)),
        "p95": words.duration(whole.percentile(0.95)),
    }
