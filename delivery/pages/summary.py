"""What the deliveries page says: what is wrong, the figures, the charts and the targets, for one stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import words
from catalog.traffic import per_minute
from delivery.bins.found import bins_of, shown_as
from delivery.deadletters import listing
from delivery.deadletters.chosen import Chosen
from delivery.pages import charts, reconciled
from delivery.pages.needs import Need, needs
from delivery.pages.stretch import Stretch, told, written
from delivery.tracking import rates, status, waiting
from delivery.tracking.rates import Delivered
from delivery.tracking.read import MINUTE, now, rows
from delivery.tracking.status import Status
from delivery.tracking.waiting import Waiting
from rules.models import Target

SHOWN = 50
COUNTED = 200


class TargetLine(NamedTuple):
    """A row of the targets table."""

    target: Target
    icon: str
    label: str
    status: Status
    waiting: Waiting
    delivered: Delivered
    share: str | None
    rate: float
    median: float | None
    p95: float | None
    line: list[int]
    shade: str


def summary(stretch: Stretch, only: int | None = None) -> dict[str, Any]:
    """Everything the page shows for that stretch of time, read now; `only`: the one target that it is about."""
    at = now()
    slots = rates.delivered(stretch.first, stretch.last, stretch.step, None if only is None else [only])
    whole = rates.total(slots)
    found = Target.objects.select_related("rule")
    if only is None:
        targets = list(found.order_by("name", "pk")[:SHOWN])
        owes = waiting.of_targets(sorted({*(target.pk for target in targets), *_most_lively()}))
        groups = listing.groups()
    else:
        targets = list(found.filter(pk=only))
        owes = waiting.of_targets([only])
        groups = listing.groups(Chosen(target=only))
    dead = sum(group.size for group in groups)
    wrong = needs(groups, owes, only)
    return {
        "stretch": stretch,
        "only": targets[0] if only is not None and targets else None,
        "whole": whole,
        "share": words_share(whole.share),
        "rate": per_minute([slot.delivered for slot in slots], stretch.step, stretch.running(at)),
        "median": whole.percentile(0.5),
        "p95": whole.percentile(0.95),
        "owes": waiting.total(owes.values()),
        "dead": dead,
        "dead_where": _dead_where(groups),
        "needs": wrong,
        "reconciled": reconciled.last(),
        "slots": slots,
        "share_line": [100 * (1.0 if slot.share is None else slot.share) for slot in slots]
        if whole.share
        else [],
        "delivered_line": [slot.delivered for slot in slots],
        "failed_line": [slot.retried for slot in slots],
        "dead_line": [slot.dead for slot in slots],
        "median_line": [slot.percentile(0.5) or 0 for slot in slots],
        "lines": target_lines(targets, owes, stretch),
        "target_count": Target.objects.count() if only is None else len(targets),
    }


class Figure(NamedTuple):
    """A row of the table that says what the charts show: one bar, from minute `first` to before `ends`, and its name."""

    first: int
    ends: int
    name: str
    share: str | None
    counts: Delivered
    median: float | None
    p95: float | None

    @property
    def query(self) -> str:
        """What finds the events of that time."""
        return f"since={written(self.first)}&until={written(self.ends)}"


def drawn(found: dict[str, Any]) -> dict[str, SafeString]:
    """The charts of a summary."""
    slots, stretch, whole = found["slots"], found["stretch"], found["whole"]
    began = _began(found["needs"], stretch)
    return {
        "chart": charts.deliveries(slots, stretch, _chart_label(whole, stretch), began),
        "latency_chart": charts.time_to_deliver(slots, stretch, _latency_label(whole)),
    }


def figures(found: dict[str, Any]) -> list[Figure]:
    """What the charts of a summary show, as a table: the newest bar first, those yet to come left out."""
    stretch: Stretch = found["stretch"]
    at = rates.minute_of(now())
    listed = [
        Figure(
            first := stretch.first + number * stretch.step,
            first + stretch.step,
            told(first),
            words_share(slot.share),
            slot,
            slot.percentile(0.5),
            slot.percentile(0.95),
        )
        for number, slot in enumerate(found["slots"])
    ]
    return [one for one in reversed(listed) if one.first <= at]


def target_lines(targets: list[Target], owes: dict[int, Waiting], stretch: Stretch) -> list[TargetLine]:
    """Rows for those targets over `stretch`."""
    running = stretch.running(now())
    ids = [target.pk for target in targets]
    done = rates.delivered_by_target(stretch.first, stretch.last, ids, stretch.step)
    lines = rates.lines_by_target(stretch.first, stretch.last, stretch.step, ids)
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
                words_share(count.share),
                per_minute(lines[target.pk], stretch.step, running),
                count.percentile(0.5),
                count.percentile(0.95),
                lines[target.pk],
                state.kind,
            )
        )
    return rows_


def words_share(share: float | None) -> str | None:
    """A share in percent: 99.96, 100 only when nothing failed; None for none."""
    if share is None:
        return None
    if share >= 1:
        return "100"
    return f"{min(share * 100, 99.99):.2f}" if share > 0.99 else f"{share * 100:.1f}"


def _most_lively() -> list[int]:
    """The targets that were routed to last: with thousands of targets the figures count these."""
    found = rows("SELECT target FROM log_ready GROUP BY target ORDER BY max(seq) DESC LIMIT %s", [COUNTED])
    return [int(target) for (target,) in found]


def _began(wrong: Sequence[Need], stretch: Stretch) -> tuple[int, str] | None:
    """The minute in which the worst trouble began, and what to write there; None when that is not in the stretch."""
    for need in wrong:
        if need.since is not None and stretch.first <= need.since // MINUTE <= stretch.last:
            when = words.moment(need.since).strftime("%H:%M")
            return need.since // MINUTE, _("%(time)s %(target)s") % {
                "time": when,
                "target": need.target.name,
            }
    return None


def _dead_where(groups: list[listing.Group]) -> str:
    ids = {group.target for group in groups}
    if len(ids) == 1:
        name = Target.objects.filter(pk=ids.pop()).values_list("name", flat=True).first()
        return _("all %(target)s") % {"target": name} if name else ""
    return ngettext("at %(n)s target", "at %(n)s targets", len(ids)) % {"n": len(ids)} if ids else ""


def _chart_label(whole: Delivered, stretch: Stretch) -> str:
    return _("Deliveries %(range)s: %(delivered)s delivered, %(retried)s retried, %(dead)s given up.") % {
        "range": stretch.said,
        "delivered": words.number(whole.delivered),
        "retried": words.number(whole.retried),
        "dead": words.number(whole.dead),
    }


def _latency_label(whole: Delivered) -> str:
    return _("Time to deliver: median %(median)s, 95th percentile %(p95)s.") % {
        "median": words.duration(whole.percentile(0.5)),
        "p95": words.duration(whole.percentile(0.95)),
    }
