"""The work of backfills: claim a job, look at the next past events, route those that match, go on where it got.

Matching is done without any lock. What was found is routed in one short transaction that also moves the job's
position; it moves only from where this worker found it, so a worker that was killed, frozen or overtaken has either
routed a part once or not at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from catalog import stamps
from delivery.backfill.past import Found, Reader
from delivery.log.schema import LANES_PER_SLOT
from delivery.models import Backfill
from delivery.tracking.read import now
from rules.filtering import filter_of
from rules.models import RuleRevision, Target

logger = logging.getLogger(__name__)

HELD = 10_000_000  # microseconds that a claim lasts without a sign of life
STAY = 20.0  # seconds of one run
TURN = 1.0  # seconds until another job has its turn
REST = 0.5  # seconds of rest per second of work: shifts share the processor
ROUTE = "INSERT INTO log_route (target, lanes, seq, lane) VALUES (%s, %s, %s, %s)"
# One statement for a whole part: PostgreSQL takes a tenth of the time that row by row costs.
ROUTES = (
    "INSERT INTO log_route (target, lanes, seq, lane) "
    "SELECT %s, r.lanes, r.seq, r.lane FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) r(lanes, seq, lane)"
)
READY = (
    "INSERT INTO log_ready (target, lanes, seq) VALUES (%s, %s, %s) "
    "ON CONFLICT (target, lanes) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > log_ready.seq"
)


class Overtaken(Exception):
    """The job is not where it was found: cancelled, its target deleted, its rule switched off, or another's work."""


def work(stop: Callable[[], bool] = lambda: False, stay: float = STAY) -> int:
    """Works on whatever is to be done, each job in turn, for about `stay` seconds or until `stop()`; returns the parts."""
    ends = time.monotonic() + stay
    readers: dict[int, Reader] = {}
    parts = 0
    while time.monotonic() < ends and not stop():
        job = claim()
        if job is None:
            break
        parts += _turn(job, readers, min(ends, time.monotonic() + TURN), stop)
    return parts


def claim() -> Backfill | None:
    """The job that waits longest and that nobody works on, held for this worker; None when there is none.

    Jobs of targets that were deleted are deleted on the way. A rule that is switched off makes its jobs wait.
    """
    target = Target.objects.filter(pk=OuterRef("target"))
    open_jobs = Backfill.objects.filter(ended_at=None).annotate(
        exists=Exists(target), listens=Exists(target.filter(rule__enabled=True))
    )
    for job in open_jobs.order_by("held_until", "pk"):
        if not job.exists:
            Backfill.objects.filter(target=job.target).delete()
        elif job.listens and job.held_until <= now():
            held = Backfill.objects.filter(pk=job.pk, held_until=job.held_until, ended_at=None)
            if held.update(held_until=now() + HELD):
                job.refresh_from_db()
                return job
    return None


def step(job: Backfill, reader: Reader) -> bool:
    """Looks at the next part and routes what matches. Returns whether there is more; `job` stands where it got.

    Raises Overtaken, with nothing routed.
    """
    _route(job, reader.look(job.routed, job.until))
    return job.ended_at is None


def reader_of(job: Backfill) -> Reader:
    """What finds the job's events: the rule as it was when the target started. Raises PatternError."""
    revision = RuleRevision.objects.filter(rule_id=job.rule, number=job.revision).latest("pk")
    return Reader(job.bus, filter_of(revision))


def _turn(job: Backfill, readers: dict[int, Reader], ends: float, stop: Callable[[], bool]) -> int:
    parts = 0
    try:
        reader = readers.get(job.pk) or readers.setdefault(job.pk, reader_of(job))
        more = True
        while more and time.monotonic() < ends and not stop():
            began = time.perf_counter()
            more = step(job, reader)
            parts += 1
            if more:
                time.sleep((time.perf_counter() - began) * REST)
    except Overtaken:
        return parts
    except Exception:
        # Its claim lapses by itself and it is tried again then; the other jobs go on now.
        logger.exception("The backfill of target %s could not go on.", job.target)
        return parts
    # Given back with the time, so that the job that waits longest is next.
    Backfill.objects.filter(pk=job.pk, routed=job.routed, ended_at=None).update(held_until=now())
    return parts


def _route(job: Backfill, found: Found) -> None:
    slots: dict[int, int] = {}
    routes = []
    for seq, lane in found.taken:
        slot = lane // LANES_PER_SLOT
        slots[slot] = seq
        routes.append((slot, seq, lane))
    with transaction.atomic():
        stamps.hold_log()
        moment = now()
        done = found.upto >= job.until
        moved = {
            "routed": found.upto,
            "taken": job.taken + len(routes),
            # The time since it was claimed, or since the part before, rest included.
            "worked": job.worked + moment - (job.held_until - HELD),
            "held_until": moment + HELD,
        } | ({"ended_at": moment, "ended": Backfill.Ended.DONE} if done else {})
        same = Backfill.objects.filter(pk=job.pk, routed=job.routed, ended_at=None)
        listens = Target.objects.filter(pk=job.target, rule__enabled=True)
        if not listens.exists() or not same.update(**moved):
            raise Overtaken
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                columns = [[route[at] for route in routes] for at in range(3)]
                cursor.execute(ROUTES, [job.target, *columns])
            else:
                cursor.executemany(ROUTE, [(job.target, *route) for route in routes])
            cursor.executemany(READY, [(job.target, slot, seq) for slot, seq in sorted(slots.items())])
    for name, value in moved.items():
        setattr(job, name, value)
