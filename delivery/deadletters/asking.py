"""What a person may do with dead letters: send them again, or drop them. The lease holder carries it out.

A few are asked for at once. Many are a job, a row that workers claim (`work`), so that nothing holds the database's lock
for long and a killed worker is followed by another. Every request leaves its row: who asked, when, why, for how many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from django.db import connection, transaction

from catalog.audit import recording
from catalog.audit.kinds import Action
from delivery.deadletters import chosen as choosing
from delivery.deadletters.chosen import Chosen
from delivery.doorbell import Doorbell
from delivery.models import LetterJob
from delivery.tracking.read import marks, now
from delivery.tracking.words import State

# Dead letters asked for within the request; more are a job.
AT_ONCE = 500
UNDO = 10_000_000  # microseconds in which a person may take a discard back
LOOKED_AT = 10_000

# It is as new to the policy: its age counts from the next attempt.
REDRIVE = (
    "state = %s, attempts = 0, redriven = redriven + 1, first_at = 0, clock = NULL, due_at = %s, told = 0"
)
# The reason it died of stays on the second line: the attempt that ends it keeps both, and an undo needs it.
DISCARD = "state = %s, due_at = %s, reason = %s || coalesce(reason, '')"


class NothingChosen(ValueError):
    """No dead letter is left of what was asked for: somebody was quicker, or the target took it."""


def ask(kind: str, chosen: Chosen, user: Any = None, reason: str = "") -> LetterJob:
    """Asks for `kind` ("redrive", "discard") of the dead letters `chosen`; returns the request's row.

    Up to 500 are asked for before this returns, each key in order; more become a job. Raises NothingChosen, and
    ValueError for a discard without a reason.
    """
    if kind == LetterJob.Kind.DISCARD and not reason.strip():
        raise ValueError("A discard needs a reason.")
    letters, more = choosing.in_order(chosen, (0, 0), AT_ONCE + 1)
    if not letters and more is None:
        raise NothingChosen
    job = LetterJob(
        kind=kind,
        chosen=chosen.values(),
        reason=reason.strip()[:200],
        by=user if user is not None and user.pk else None,
        by_name=user.get_username() if user is not None else "",
        asked_at=now(),
    )
    if more is None:
        with transaction.atomic():
            job.starts_at = job.ended_at = job.asked_at
            job.acted = apply(job, [(letter.target, letter.seq) for letter in letters], UNDO)
            job.total = job.done = len(job.acted)
            job.ended = LetterJob.Ended.DONE
            if not job.done:
                raise NothingChosen
            job.save()
        ring()
        return job
    job.total, job.exact = choosing.count(chosen, LOOKED_AT)
    job.starts_at = job.asked_at + (UNDO if kind == LetterJob.Kind.DISCARD else 0)
    job.save()
    return job


def apply(job: LetterJob, letters: Sequence[tuple[int, int]], undo: int = 0) -> list[tuple[int, int]]:
    """Marks those of `letters` (target, seq) that are still dead; returns them. Inside a transaction.

    `undo`: microseconds that a discard waits for somebody to take it back.
    """
    if job.kind == LetterJob.Kind.REDRIVE:
        change = REDRIVE
        values: list[Any] = [int(State.RETRY), now()]
    else:
        change = DISCARD
        values = [int(State.DISCARD), now() + undo, headed(job)]
    found = _update(change, values, letters, State.DEAD)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('signalbox', '')")
    return found


def headed(job: LetterJob) -> str:
    """What comes before the reason of a dead letter that `job` discards."""
    return f"Discarded by {job.by_name or 'Signalbox'}: {job.reason}\n"


def undo(job: LetterJob) -> int:
    """Takes a discard back as far as it was not carried out yet, or stops a job; returns how many it kept from it."""
    if job.ended_at is None:
        stopped = LetterJob.objects.filter(pk=job.pk, ended_at=None).update(
            ended_at=now(), ended=LetterJob.Ended.CANCELLED
        )
        job.refresh_from_db()
        if stopped:
            recording.note(Action.UNDONE, job, "stopped while it ran")
        return max(0, job.total - job.done) if stopped else 0
    if job.kind != LetterJob.Kind.DISCARD:
        return 0
    with transaction.atomic():
        back = "state = %s, due_at = NULL, reason = substr(reason, %s)"
        kept = _update(
            back, [int(State.DEAD), len(headed(job)) + 1], [tuple(one) for one in job.acted], State.DISCARD
        )
        if kept:
            gone = {tuple(one) for one in kept}
            left = [one for one in job.acted if tuple(one) not in gone]
            LetterJob.objects.filter(pk=job.pk).update(
                acted=left, done=len(left), ended=LetterJob.Ended.DONE if left else LetterJob.Ended.CANCELLED
            )
            recording.note(Action.UNDONE, job, f"{len(kept):,} taken back")
    return len(kept)


def redrive(target: int, seqs: Sequence[int] | None = None) -> int:
    """Sends dead letters of a target again, all of them or those in `seqs`; returns how many it asked for at once."""
    letters = None if seqs is None else tuple((target, seq) for seq in seqs)
    try:
        return ask(LetterJob.Kind.REDRIVE, Chosen(target=target, letters=letters)).done
    except NothingChosen:
        return 0


def ring() -> None:
    """Wakes the shifts of this machine."""
    with closing(Doorbell()) as doorbell:
        doorbell.ring()


def _update(
    change: str, values: list[Any], letters: Iterable[tuple[int, int]], state: State
) -> list[tuple[int, int]]:
    by_target: dict[int, list[int]] = defaultdict(list)
    for target, seq in letters:
        by_target[target].append(seq)
    done: list[tuple[int, int]] = []
    with connection.cursor() as cursor:
        for target, seqs in sorted(by_target.items()):
            for at in range(0, len(seqs), 500):
                part = seqs[at : at + 500]
                cursor.execute(
                    f"UPDATE runner_exception SET {change} WHERE target = %s AND state = %s AND seq IN ({marks(part)}) "
                    "RETURNING seq",
                    [*values, target, int(state), *part],
                )
                done += [(target, int(seq)) for (seq,) in cursor.fetchall()]
    return done
