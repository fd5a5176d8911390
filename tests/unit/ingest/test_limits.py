"""Paths, methods, content types and sizes."""

from __future__ import annotations

import json

import pytest

from catalog.models import Bus
from tests.unit.ingest.calling import BATCH, STRUCTURED, Caller, Disconnect, assert_problem, event, stored

LIMIT = 1024 * 1024
BATCH_BYTES = 16 * LIMIT


def sized(size: int) -> bytes:
    """A structured event of exactly `size` bytes."""
    empty = json.dumps(event(data="")).encode()
    return empty.replace(b'"data": ""', b'"data": "' + b"x" * (size - len(empty)) + b'"')


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_than_post_is_refused(caller: Caller, method: str) -> None:
    answer = caller.call(method=method)
    assert_problem(answer, 405, "method")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path",
    ["/v1/buses/", "/v1/buses/orders", "/v1/buses/orders/event", "/v1/buses//events", "/v1/buses/a/b/events"],
)
def test_another_path_is_not_found(caller: Caller, path: str) -> None:
    assert_problem(caller.structured(event(), path=path), 404, "not-found")


def test_a_slash_at_the_end_makes_no_difference(caller: Caller) -> None:
    assert caller.structured(event(), path="/v1/buses/orders/events/").status == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/cloudevents+xml"},
        {"content-type": "application/cloudevents"},
        {"content-type": "application/cloudevents+json; charset=utf-16"},
        {"content-type": STRUCTURED, "content-encoding": "gzip"},
    ],
)
def test_what_is_no_event_format_is_refused(caller: Caller, bus: Bus, headers: dict[str, str]) -> None:
    body = json.dumps(event()).encode()
    assert_problem(caller.call(body, headers), 415, "content-type")
    assert stored(bus) == []


def test_two_content_types_are_refused(caller: Caller) -> None:
    headers = [("content-type", STRUCTURED), ("content-type", BATCH)]
    assert_problem(caller.call(b"[]", headers), 400, "malformed")


# ── sizes ──


@pytest.mark.parametrize("size", [64 * 1024, LIMIT])
def test_a_structured_event_up_to_the_limit_is_taken(caller: Caller, bus: Bus, size: int) -> None:
    body = sized(size)
    assert len(body) == size
    assert caller.call(body, {"content-type": STRUCTURED, "content-length": str(size)}).status == 202
    assert len(stored(bus)) == 1


def test_a_structured_event_one_byte_above_the_limit_is_refused(caller: Caller, bus: Bus) -> None:
    problem = assert_problem(caller.call(sized(LIMIT + 1), {"content-type": STRUCTURED}), 413, "too-large")
    assert "1,048,576" in problem["detail"]
    assert stored(bus) == []


@pytest.mark.parametrize("above", [0, 1])
def test_a_binary_event_counts_with_its_headers(caller: Caller, bus: Bus, above: int) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a", "ce-type": "b"}
    size = sum(len(name) + len(value) for name, value in headers.items())
    answer = caller.call(b"x" * (LIMIT - size + above), {**headers, "content-type": "text/plain"})
    assert answer.status == (413 if above else 202)
    assert len(stored(bus)) == 1 - above


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        ({"content-type": STRUCTURED}, LIMIT + 1),
        ({"content-type": "application/json"}, LIMIT + 1),
        ({}, LIMIT + 1),
        ({"content-type": BATCH}, BATCH_BYTES + 1),
        ({"content-type": STRUCTURED}, 10**30),
    ],
)
def test_a_body_that_says_it_is_too_large_is_refused_unread(
    caller: Caller, headers: dict[str, str], size: int
) -> None:
    # A body that were asked for would turn out not to come, which is another problem.
    answer = caller.call([], {**headers, "content-length": str(size)})
    assert_problem(answer, 413, "too-large")


def test_a_body_of_unknown_length_is_refused_once_it_is_too_large(caller: Caller, bus: Bus) -> None:
    answer = caller.call([b"x" * LIMIT, b"x", b"never read"], {"content-type": STRUCTURED})
    assert_problem(answer, 413, "too-large")
    assert stored(bus) == []


def test_a_batch_may_be_larger_than_an_event_but_none_of_its_events(caller: Caller, bus: Bus) -> None:
    half = json.loads(sized(LIMIT // 2))
    assert caller.batch([{**half, "id": str(number)} for number in range(4)]).status == 202
    assert len(stored(bus)) == 4
    too_large = json.loads(sized(LIMIT + 1))
    problem = assert_problem(caller.batch([event(id="new"), too_large]), 413, "too-large")
    assert problem["index"] == 1
    assert len(stored(bus)) == 4


def test_a_batch_above_its_own_limit_is_refused(caller: Caller) -> None:
    part = b" " * LIMIT
    assert_problem(caller.call([b"[", *[part] * 16, b"]"], {"content-type": BATCH}), 413, "too-large")


def test_a_batch_holds_1000_events_and_not_one_more(caller: Caller, bus: Bus) -> None:
    batch = [event(id=str(number)) for number in range(1001)]
    problem = assert_problem(caller.batch(batch), 413, "too-large")
    assert "1001" in problem["detail"]
    assert stored(bus) == []
    assert len(caller.batch(batch[:1000]).json()["accepted"]) == 1000
    assert len(stored(bus)) == 1000


def test_an_attribute_has_a_limit_of_its_own(caller: Caller) -> None:
    problem = assert_problem(caller.structured(event(subject="x" * 5000)), 413, "too-large")
    assert problem["attribute"] == "subject"


# ── who goes away ──

BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a", "ce-type": "b", "content-length": "100"}


@pytest.mark.parametrize("parts", [[Disconnect], [b"half", Disconnect], [b"", b"", Disconnect]])
def test_a_body_that_does_not_arrive_whole_stores_nothing(
    caller: Caller, bus: Bus, parts: list[bytes | type[Disconnect]]
) -> None:
    assert_problem(caller.call(parts, {**BINARY, "content-type": "text/plain"}), 400, "malformed")
    assert stored(bus) == []
