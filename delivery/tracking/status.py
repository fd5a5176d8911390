"""Status in shape and word: of an attempt, of a target. Kinds are the console's: ok, warn, bad, idle, busy."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _

from catalog.display import words
from delivery.tracking.attempts import Attempt
from delivery.tracking.waiting import Waiting
from delivery.tracking.words import Outcome
from rules.models import Target


class Status(NamedTuple):
    """`kind` picks shape and colour, `word` says it."""

    kind: str
    word: str


def of_attempt(attempt: Attempt) -> Status:
    """How an attempt ended: the answer's status where there is one, else a word."""
    if attempt.outcome == Outcome.DELIVERED:
        return Status("ok", str(attempt.status) if attempt.status else _("taken"))
    if attempt.outcome == Outcome.UNKNOWN:
        return Status("idle", _("unknown"))
    if attempt.outcome == Outcome.DISCARDED:
        return Status("idle", _("discarded"))
    kind = "warn" if attempt.outcome == Outcome.RETRY else "bad"
    if attempt.status:
        return Status(kind, str(attempt.status))
    words = {
        Outcome.RETRY: _("no answer"),
        Outcome.REJECTED: _("refused"),
        Outcome.MISCONFIGURED: _("misconfigured"),
        Outcome.GONE: _("gone"),
    }
    return Status(kind, words.get(Outcome(attempt.outcome), _("failed")))


def of_target(target: Target, owes: Waiting) -> Status:
    """How a target is: its state first, then what it could not deliver."""
    return of_state(target.state, target.rule.enabled, owes)


def of_state(state: str, enabled: bool, owes: Waiting) -> Status:
    """The same from a target's state, whether its rule is, and what it owes."""
    if state == Target.State.STOPPED:
        return Status("bad", _("Stopped"))
    if state == Target.State.DISABLED:
        return Status("bad", _("Disabled"))
    if state == Target.State.PAUSED:
        return Status("idle", _("Paused"))
    if not enabled:
        return Status("idle", _("Not listening"))
    if owes.breaker is not None:
        return Status("bad", _("Does not answer"))
    if owes.full_of_exceptions:
        return Status("bad", _("Held up"))
    if owes.dead:
        return Status("bad", _("Refusing") if owes.answered else _("Not reachable"))
    if owes.retrying:
        return Status("warn", _("Trying again"))
    if owes.past is not None:
        how_far = {"done": words.number(owes.past.done), "of": words.number(owes.past.of)}
        return Status("busy", _("Catching up, %(done)s of %(of)s") % how_far)
    return Status("ok", _("Healthy"))
