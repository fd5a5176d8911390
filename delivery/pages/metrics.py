"""`/metrics` in the text format of Prometheus 0.0.4: what an alarm should go by."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from django.http import HttpRequest, HttpResponse

from catalog.access import needs, token_of
from delivery.ingest.pipeline import pipeline
from delivery.log.schema import CURSORS
from delivery.models import Reconciliation
from delivery.reconcile.checking import least
from delivery.reconcile.work import CHECKS
from delivery.tracking import waiting
from delivery.tracking.rates import minute_of
from delivery.tracking.read import now, rows
from delivery.tracking.words import State
from rules.models import Target

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Targets that are told of one by one; of more than these, those that owe most.
MOST = 500
# Minutes after which nobody counts in a rollup any more.
SETTLED = 5

Labels = Mapping[str, object]
Sample = tuple[Labels, float]


@needs("rules.view_rule", tokens=True, opened_by="PUBLIC_METRICS")
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of the whole Signalbox, and of this web process where it says so. A token for one bus may not."""
    token = token_of(request)
    if token is not None and token.bus_id is not None:
        return HttpResponse(
            "This token is for one bus; figures are of all. Use one for every bus.\n",
            status=403,
            content_type="text/plain",
        )
    return HttpResponse("".join(_lines()), content_type=CONTENT_TYPE)


class Totals:
    """Deliveries since the oldest rollup, per target: minutes that are settled are added once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._upto = -1
        self._sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])

    def read(self) -> dict[int, list[int]]:
        """target -> delivered, retried, dead."""
        settled = minute_of(now()) - SETTLED
        with self._lock:
            if settled > self._upto:
                _add(self._sums, _counts(self._upto, settled))
                self._upto = settled
            upto = self._upto
            found = defaultdict(
                lambda: [0, 0, 0], {target: list(sums) for target, sums in self._sums.items()}
            )
        _add(found, _counts(upto, 2**40))
        return dict(found)


_totals = Totals()


def _counts(after: int, upto: int) -> list[tuple[int, ...]]:
    return rows(
        "SELECT target, SUM(delivered), SUM(retried), SUM(dead) FROM rollup_delivered WHERE minute > %s AND minute <= %s "
        "GROUP BY target",
        [after, upto],
    )


def _add(sums: dict[int, list[int]], counts: Sequence[tuple[int, ...]]) -> None:
    for target, *numbers in counts:
        sums[target] = [before + int(number) for before, number in zip(sums[target], numbers, strict=True)]


def _lines() -> Iterator[str]:
    owing = _owing()
    names = dict(Target.objects.filter(pk__in=owing).values_list("pk", "name"))
    owes = waiting.of_targets([target for target in owing if target in names])
    held = _oldest_held()
    at = now()

    def each(value: Mapping[int, float]) -> list[Sample]:
        return [({"target": pk, "name": names[pk]}, value[pk]) for pk in names if pk in value]

    head = rows("SELECT seq FROM log_head WHERE id = 1")[0][0]
    yield from _metric("received_total", "counter", "Events accepted since the beginning.", [({}, head)])
    outcomes = ("delivered", "retried", "dead")
    counted = [
        ({"target": target, "outcome": outcome}, float(number))
        for target, numbers in sorted(_totals.read().items())
        for outcome, number in zip(outcomes, numbers, strict=True)
    ]
    yield from _metric("deliveries_total", "counter", "Attempts by how they ended.", counted)
    oldest = {
        pk: max(0.0, (at - min(moments)) / 1_000_000)
        for pk, owed in owes.items()
        if (moments := [moment for moment in (owed.oldest, held.get(pk)) if moment is not None])
    }
    yield from _metric(
        "waiting_oldest_seconds", "gauge", "Age of the oldest event that is not delivered.", each(oldest)
    )
    yield from _metric(
        "waiting",
        "gauge",
        "Events that are not delivered.",
        each({pk: one.waiting + one.retrying for pk, one in owes.items()}),
    )
    yield from _metric(
        "dead_letters", "gauge", "Dead letters.", each({pk: one.dead for pk, one in owes.items()})
    )
    states = dict(rows("SELECT state, COUNT(*) FROM rules_target GROUP BY state"))
    yield from _metric(
        "targets", "gauge", "Targets by state.",
        [({"state": state}, states.get(state, 0)) for state in Target.State.values],
    )  # fmt: skip
    yield from _metric(
        "shifts", "gauge", "Shifts that deliver now.",
        [({}, rows("SELECT COUNT(*) FROM runner_shift WHERE seen_at > %s", [at - 5_000_000])[0][0])],
    )  # fmt: skip
    yield from _metric(
        "ingest_queue", "gauge", "Events that wait to be stored, in this web process.",
        [({}, pipeline().front.waiting)],
    )  # fmt: skip
    yield from _broker(at)
    yield from _reconciled(at)


def _broker(at: int) -> Iterator[str]:
    """What a broker took in and the router has not brought into the log yet."""
    partitions = rows(
        "SELECT b.name, SUM(CASE WHEN p.ends > p.next THEN p.ends - p.next ELSE 0 END), SUM(p.skipped), "
        "COUNT(CASE WHEN p.owner IS NULL OR p.until < %s THEN 1 END) "
        "FROM log_partition p JOIN catalog_bus b ON b.id = p.bus GROUP BY b.name ORDER BY b.name",
        [at],
    )
    if not partitions:
        return
    for name, kind, help_text, place in (
        (
            "broker_behind",
            "gauge",
            "Records of the broker that are not in the log yet, when its router looked last.",
            1,
        ),
        ("broker_skipped_total", "counter", "Records of the broker that held no event.", 2),
        ("broker_partitions_left", "gauge", "Partitions that no router reads.", 3),
    ):
        yield from _metric(
            name, kind, help_text, [({"bus": one[0]}, float(one[place])) for one in partitions]
        )


def _reconciled(at: int) -> Iterator[str]:
    newest = Reconciliation.objects.first()
    found = {one["name"]: one for one in (newest.found if newest else [])}

    def each(count: str) -> list[Sample]:
        return [
            ({"check": check.name}, float(found[check.name][count]) if check.name in found else 0.0)
            for check in CHECKS
        ]

    if newest is None:
        return
    left = [
        (labels, count - mended)
        for (labels, count), (_, mended) in zip(each("count"), each("mended"), strict=True)
    ]
    yield from _metric(
        "reconcile_findings", "gauge", "Contradictions that the last look found.", each("count")
    )
    yield from _metric("reconcile_left", "gauge", "Those of them that could not be mended.", left)
    yield from _metric(
        "reconcile_age_seconds", "gauge", "Time since the last look.", [({}, (at - newest.at) / 1_000_000)]
    )


def _owing() -> list[int]:
    """Targets with something not delivered, those with the newest events first."""
    cursor = least(*(f"coalesce(s.{name}, 0)" for name in CURSORS))
    found = rows(
        "SELECT r.target FROM log_ready r LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
        f"WHERE r.seq > {cursor} GROUP BY r.target ORDER BY MAX(r.seq) DESC LIMIT {MOST}"
    )
    held = rows(f"SELECT DISTINCT target FROM runner_exception WHERE state > 0 LIMIT {MOST}")
    return list(dict.fromkeys([target for (target,) in [*found, *held]]))[:MOST]


def _oldest_held() -> dict[int, int]:
    """target -> when the oldest event that waits or is retried was received (microseconds)."""
    first = rows(
        f"SELECT target, MIN(seq) FROM runner_exception WHERE state IN ({int(State.WAITING)}, {int(State.RETRY)}) "
        f"GROUP BY target LIMIT {MOST}"
    )
    if not first:
        return {}
    pairs = ", ".join(["(%s, %s)"] * len(first))
    return dict(
        rows(
            f"SELECT target, received_at FROM runner_exception WHERE (target, seq) IN (VALUES {pairs})",
            [value for pair in first for value in pair],
        )
    )


def _metric(name: str, kind: str, help_text: str, samples: Sequence[Sample]) -> Iterator[str]:
    yield f"# HELP signalbox_{name} {help_text}\n# TYPE signalbox_{name} {kind}\n"
    for labels, value in samples:
        inner = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
        yield f"signalbox_{name}{{{inner}}} {value:.17g}\n" if inner else f"signalbox_{name} {value:.17g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
