"""What a target's answer means, and how it is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.connectors.http.answer import RETRY_AFTER_CEILING, outcome_of, outcome_of_error, retry_after
from delivery.connectors.spi import EXCERPT_BYTES, Delivered, Gone, Misconfigured, Outcome, Reject, Retry
from delivery.http import Blocked, DeliveryError, Response, Timings

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
TIMINGS = Timings(total=0.5)


def answer(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, truncated: bool = False
) -> Outcome:
    return outcome_of(Response(status, headers or {}, body, truncated, TIMINGS, "192.0.2.1"), NOW)


CLASSES = [
    *[(status, Delivered) for status in (200, 201, 202, 204, 206, 299)],
    *[(status, Reject) for status in (300, 301, 302, 303, 304, 307, 308)],
    *[(status, Reject) for status in (400, 402, 405, 406, 409, 411, 413, 415, 418, 422, 423, 431, 451, 499)],
    *[(status, Misconfigured) for status in (401, 403, 404)],
    (410, Gone),
    *[(status, Retry) for status in (408, 425, 429, 500, 501, 502, 503, 504, 520, 599)],
]


@pytest.mark.parametrize(("status", "kind"), CLASSES)
def test_each_status_has_its_outcome(status: int, kind: type[Outcome]) -> None:
    outcome = answer(status, b"because")
    assert type(outcome) is kind
    assert outcome.status == status  # type: ignore[attr-defined]
    assert outcome.excerpt == b"because"
    assert outcome.timings == TIMINGS
    assert outcome.address == "192.0.2.1"
    text = outcome.detail if isinstance(outcome, Delivered) else outcome.reason  # type: ignore[attr-defined]
    assert str(status) in text
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (422, b"", "It answers 422."),
        (422, b'{"error": "no total"}', "It answers 422: no total."),
        (422, b'{"error": {"code": 7, "message": "no total"}}', "It answers 422: no total."),
        (422, b'{"title": "Bad", "status": 422, "detail": "No total."}', "It answers 422: No total."),
        (
            422,
            b'{"errors": [{"field": "ref", "message": "too long"}, {"message": "no total"}]}',
            "It answers 422: ref: too long; no total.",
        ),
        (422, b'["no total", "no customer"]', "It answers 422: no total; no customer."),
        (
            422,
            b'{"errors": [{"message": "no total"}, 7]}',
            'It answers 422: {"errors": [{"message": "no total"}, 7]}.',
        ),
        (422, b'{"code": 7}', 'It answers 422: {"code": 7}.'),
        (422, b'{"message": ""}', 'It answers 422: {"message": ""}.'),
        (422, b'{"message": "no', 'It answers 422: {"message": "no.'),
        (422, b"[" * 300_000, f"It answers 422: {'[' * 200}…"),
        (422, b'{"message": "a\\nb\\ud800"}', "It answers 422: a b?"),
        (422, b"No total.\r\n", "It answers 422: No total."),
        (422, b"a\n\n  b\tc", "It answers 422: a b c."),
        (422, b"x" * 201, f"It answers 422: {'x' * 200}…"),
        (422, "é".encode() * 200, f"It answers 422: {'é' * 200}."),
        (422, b"\x1b[31mred is the total", "It answers 422: \ufffd[31mred is the total."),
        (422, bytes(range(128, 228)), "It answers 422: 100 bytes that are not text."),
        (503, b"busy", "It answers 503: busy."),
        (401, b"", "It answers 401: it wants other credentials."),
        (403, b"no", "It answers 403: it forbids this request: no."),
        (404, b"", "It answers 404: there is nothing at this URL."),
        (410, b"", "It answers 410: it is gone for good."),
        (304, b"", "It answers 304, which is no answer to a delivery."),
    ],
)
def test_the_reason_is_a_sentence_with_what_the_target_said(status: int, body: bytes, reason: str) -> None:
    assert answer(status, body).reason == reason  # type: ignore[attr-defined]


def test_a_redirect_names_where_it_points_and_says_that_nobody_went_there() -> None:
    outcome = answer(302, headers={"location": "https://new.example/\x07hook"})
    assert isinstance(outcome, Reject)
    assert outcome.reason == (
        "It answers 302 and points to https://new.example/\ufffdhook. Redirects are not followed;"
        " if the target has moved, change its URL."
    )


def test_a_2xx_that_broke_off_is_delivered_and_says_so() -> None:
    outcome = answer(200, b"par", truncated=True)
    assert isinstance(outcome, Delivered)
    assert "broke off" in outcome.detail


def test_only_a_short_excerpt_is_kept_and_shown_as_text() -> None:
    outcome = answer(400, b"<script>\x00\xff\n" + b"x" * 60_000)
    assert len(outcome.excerpt) == EXCERPT_BYTES
    assert outcome.excerpt_text.startswith("<script>\ufffd\ufffd\nxxx")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60.0),
        ("Tue Nov 14 22:14:20 2023", 60.0),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("٣", None),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_retry_after_survives_any_text(value: str) -> None:
    after = retry_after(value, NOW)
    assert after is None or after >= 0


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_the_target_is_obeyed_when_it_asks_to_wait(status: int) -> None:
    outcome = answer(status, headers={"retry-after": "90"})
    assert isinstance(outcome, Retry)
    assert outcome.after == 90.0
    assert outcome.reason == f"It answers {status}. It asks to wait 90 s."


@pytest.mark.parametrize("value", ["86401", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_is_waited_for_longer_than_a_day(value: str) -> None:
    outcome = answer(503, headers={"retry-after": value})
    assert isinstance(outcome, Retry)
    assert outcome.after == RETRY_AFTER_CEILING
    assert "24 hours at most" in outcome.reason


def test_without_retry_after_the_policy_of_the_target_decides() -> None:
    outcome = answer(503)
    assert isinstance(outcome, Retry)
    assert outcome.after is None


@pytest.mark.parametrize("kind", ["dns", "connect", "tls", "timeout", "protocol", "closed"])
def test_what_did_not_get_through_is_tried_again(kind: str) -> None:
    error = DeliveryError(kind, "It failed.", timings=TIMINGS, address="192.0.2.1", status=500)  # type: ignore[arg-type]
    assert outcome_of_error(error) == Retry("It failed.", 500, timings=TIMINGS, address="192.0.2.1")


def test_a_forbidden_address_stops_the_target() -> None:
    assert isinstance(outcome_of_error(Blocked("It is forbidden.")), Misconfigured)
