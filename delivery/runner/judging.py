"""What an outcome means for the event, after the target's owner had a say (rules/classes.py). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from delivery.connectors.spi import Delivered, Gone, Misconfigured, Outcome, Reject, Retry
from rules.classes import REJECT, RETRY, meaning_of

# Where the address depends on the event, these say something of this event alone.
OF_THIS_EVENT = (404, 410)


def judged(outcome: Outcome, classes: Mapping[str, str], addressed_by_event: bool) -> Outcome:
    """The outcome of an attempt as the target's policy sees it; the same one where the policy says nothing of it.

    Only what was answered, or not answered at all, has a status to be looked up: an event that could not be made into a
    request stays rejected, an address that is forbidden stays so.
    """
    if isinstance(outcome, Delivered):
        return outcome
    assert isinstance(outcome, Retry | Reject | Misconfigured | Gone)
    if outcome.status is None and not isinstance(outcome, Retry):
        return outcome
    meaning = meaning_of(classes, outcome.status) if classes else None
    if meaning is None:
        if not (addressed_by_event and outcome.status in OF_THIS_EVENT):
            return outcome
        meaning = REJECT
    if meaning == RETRY and isinstance(outcome, Retry):
        return outcome
    made: type[Retry | Reject | Misconfigured]
    made = Retry if meaning == RETRY else Reject if meaning == REJECT else Misconfigured
    return made(
        outcome.reason, outcome.status, excerpt=outcome.excerpt, timings=outcome.timings, address=outcome.address
    )  # fmt: skip
