"""The work of jobs on dead letters: claim one, mark the next part, go on where it got.

Each part is one short transaction that also moves the job's position; it moves only from where this worker found it, so
a worker that was killed, frozen or overtaken has either marked a part once or not at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import transaction

from delivery.deadletters import chosen as choosing
from delivery.deadletters.asking import apply, ring
from delivery.deadletters.chosen import Chosen
from delivery.models import LetterJob
from delivery.tracking.read import now

logger = logging.getLogger(__name__)

HELD = 10_000_000  # microseconds that a claim lasts without a sign of life
STAY = 5.0  # seconds of one run
PART = 500  # dead letters looked at in one transaction
REST = 0.5  # seconds of rest per second of work: shifts share the processor and the lock


class Overtaken(Exception):
    """The job is not where it was found: cancelled, or another's work."""


def work(stop: Callable[[], bool] = lambda: False, stay: float = STAY) -> int:
    """Works on what is to be done for about `stay` seconds or until `stop()`; returns how many it marked."""
    ends = time.monotonic() + stay
    marked = 0
    while time.monotonic() < ends and not stop() and (job := claim()) is not None:
        try:
            while job.ended_at is None and time.monotonic() < ends and not stop():
                began = time.perf_counter()
                marked += step(job)
                time.sleep((time.perf_counter() - began) * REST)
        except Overtaken:
            continue
        except Exception:
            # Its claim lapses by itself and it is tried again then; the other jobs go on now.
            logger.exception(
                "The %s of dead letters asked for at %s could not go on.", job.kind, job.asked_at
            )
            continue
        LetterJob.objects.filter(pk=job.pk, ended_at=None, held_until=job.held_until).update(held_until=now())
    return marked


def claim() -> LetterJob | None:
    """The job that waits longest, is to begin by now and that nobody works on, held for this worker."""
    at = now()
    waiting = LetterJob.objects.filter(ended_at=None, starts_at__lte=at, held_until__lte=at)
    for job in waiting.order_by("held_until", "pk"):
        held = at + HELD
        if LetterJob.objects.filter(pk=job.pk, held_until=job.held_until, ended_at=None).update(
            held_until=held
        ):
            job.held_until = held
            return job
    return None


def step(job: LetterJob) -> int:
    """Marks what is chosen of the next part; `job` stands where it got. Raises Overtaken, with nothing marked.

    Oldest first: while an earlier dead letter of a key is still to come, the later one is not asked for.
    """
    letters, upto = choosing.in_order(Chosen.of(job.chosen), (job.at_seq, job.at_target), PART)
    with transaction.atomic():
        acted = apply(job, [(letter.target, letter.seq) for letter in letters])
        moment = now()
        moved: dict[str, Any] = {"held_until": moment + HELD, "done": job.done + len(acted)}
        if upto is None:
            moved |= {"ended_at": moment, "ended": LetterJob.Ended.DONE}
        else:
            moved |= {"at_seq": upto[0], "at_target": upto[1]}
        same = LetterJob.objects.filter(pk=job.pk, at_seq=job.at_seq, at_target=job.at_target, ended_at=None)
        if not same.update(**moved):
            raise Overtaken
    for name, value in moved.items():
        setattr(job, name, value)
    if acted:
        ring()
    return len(acted)
