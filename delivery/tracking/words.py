"""The numbers that the data plane's tables hold for outcomes of attempts and states of exceptions."""

from __future__ import annotations

from enum import IntEnum

REDRIVEN = "Redriven: it was a dead letter."
"""Stands with the attempt that delivered an event after a person had it sent again: it may have come out of its turn."""

EXPIRED = "Expired:"
"""Begins the reason of a dead letter that was never refused: it waited for its target up to the hard limit of its bus."""

RESENT = "Sent twice: the connection that had been kept open closed without an answer, so it went again over a new one."
"""Ends the reason of an attempt for which the target may have seen two requests, with the same ids and number."""

EXCEPTIONS = 10_000
"""So many events of one target may wait behind another, be tried again, or be dead letters that others wait for. Nothing
new is read for it until some have come to an end. Each shift counts those of the lane groups it holds."""


class Outcome(IntEnum):
    """How one attempt ended (attempt.outcome)."""

    DELIVERED = 1
    RETRY = 2
    REJECTED = 3
    MISCONFIGURED = 4
    UNKNOWN = 5  # a crash between sending and recording; the event was sent again
    GONE = 6
    DISCARDED = 7  # a person dropped the dead letter


class State(IntEnum):
    """Where an exception stands (runner_exception.state)."""

    WAITING = 1  # behind an earlier event of its key
    RETRY = 2  # tried, and tried again at due_at
    DEAD = 3  # given up, with its reason
    DISCARD = 4  # a person asked to drop it; the lease holder does
