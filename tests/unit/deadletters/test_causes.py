"""A cause is a reason without what differs from event to event."""

from __future__ import annotations

import pytest

from delivery.deadletters.causes import LONGEST, cause_id, cause_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Order 4711 is unknown.", "Order 4712 is unknown."),
        ('It answers 422: "ann@example.org" is taken', 'It answers 422: "bob@example.org" is taken'),
        (
            "No row 0b3f6f0e-3c1e-4a52-9d0e-1c6f3d9a8b11 there",
            "No row 5d9c2a7b-1f4e-4b6a-8c3d-2e1f0a9b8c7d there",
        ),
        ("Not after 2026-11-26T08:15:00Z", "Not after 2026-11-27T09:00:01.5+01:00"),
        ("POST https://shop.example/orders/1 timed out", "POST https://shop.example/orders/2?x=1 timed out"),
        ("token a1b2c3d4e5f6a7b8 expired", "token ffeeddccbbaa9988 expired"),
    ],
)
def test_what_differs_from_event_to_event_is_left_out(one: str, other: str) -> None:
    assert cause_of(one, 422) == cause_of(other, 422)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("It answers 422.", 422), ("It answers 500.", 500)),
        (("https://a.example/x is away", None), ("https://b.example/x is away", None)),
        (("Connection refused", None), ("Connection reset", None)),
    ],
)
def test_what_tells_faults_apart_stays(one: tuple[str, int | None], other: tuple[str, int | None]) -> None:
    assert cause_of(*one) != cause_of(*other)


def test_a_url_keeps_its_host_and_not_its_user() -> None:
    assert cause_of("https://ann:secret@shop.example/a/b is away") == "https://shop.example/… is away"


def test_a_long_reason_is_cut_and_named_shortly() -> None:
    cause = cause_of("x y " * 100_000)
    assert len(cause) == LONGEST
    assert len(cause_id(cause)) == 12
