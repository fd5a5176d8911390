"""Outcomes as a target's policy sees them."""

from __future__ import annotations

import pytest

from delivery.connectors.spi import Delivered, Gone, Misconfigured, Outcome, Reject, Retry
from delivery.runner.judging import judged


@pytest.mark.parametrize(
    ("outcome", "classes", "by_event", "kind"),
    [
        (Misconfigured("no", 404), {}, False, Misconfigured),
        (Misconfigured("no", 404), {}, True, Reject),
        (Gone("no", 410), {}, False, Gone),
        (Gone("no", 410), {}, True, Reject),
        (Misconfigured("no", 401), {}, True, Misconfigured),
        (Misconfigured("no", 404), {"404": "retry"}, True, Retry),
        (Gone("no", 410), {"4xx": "retry"}, False, Retry),
        (Reject("no", 422), {"422": "stop"}, False, Misconfigured),
        (Retry("no", 503), {"5xx": "reject"}, False, Reject),
        (Retry("no", 503), {"500": "reject"}, False, Retry),
        (Retry("no answer"), {"none": "stop"}, False, Misconfigured),
        # Neither was answered.
        (Reject("the transform failed"), {"none": "retry"}, False, Reject),
        (Misconfigured("a forbidden address"), {"none": "retry"}, False, Misconfigured),
        (Delivered(204), {"none": "retry"}, True, Delivered),
    ],
)
def test_the_map_is_asked_first_then_whether_the_address_is_the_events(
    outcome: Outcome, classes: dict[str, str], by_event: bool, kind: type[Outcome]
) -> None:
    assert type(judged(outcome, classes, by_event)) is kind


def test_what_was_answered_and_what_was_asked_for_is_kept() -> None:
    found = judged(
        Reject("It answers 409.", 409, excerpt=b"busy", address="10.0.0.1"), {"409": "retry"}, False
    )
    assert found == Retry("It answers 409.", 409, None, excerpt=b"busy", address="10.0.0.1")
    asks = Retry("It answers 503.", 503, 30.0)
    assert judged(asks, {"503": "retry"}, False) is asks
