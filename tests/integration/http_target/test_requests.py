"""What an HTTP target sends: modes, methods, values of the event in URL and headers, batches."""

from __future__ import annotations

import json

import pytest

from delivery.cloudevents import decode
from delivery.connectors.config import InvalidConfig
from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.spi import Delivered, Misconfigured, Outcome, Reject
from delivery.runner.judging import judged
from tests.integration.http_scenarios import Run, in_both_loops
from tests.integration.receiver import Answer, Receiver, Request, delivery, opened

pytestmark = in_both_loops


async def sent(
    path: str, made: object = None, status: int = 200, **config: object
) -> tuple[Outcome, list[Request]]:
    async with (
        Receiver(lambda request: Answer(status)) as receiver,
        opened(receiver.url(path), **config) as target,
    ):
        outcome = await target.send(made or delivery())  # type: ignore[arg-type]
        return judged(outcome, {}, target.addressed_by_event), receiver.requests


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_each_method_is_sent_with_the_body(run: Run, method: str) -> None:
    async def scenario() -> None:
        outcome, [request] = await sent("/x", method=method)
        assert isinstance(outcome, Delivered)
        assert (request.method, json.loads(request.body)["total"]) == (method, 1)

    run(scenario())


def test_raw_mode_sends_the_body_alone(run: Run) -> None:
    async def scenario() -> None:
        _, [request] = await sent("/x", mode="raw")
        assert not [name for name in request.headers if name.startswith("ce-")]
        assert request.headers["content-type"] == "application/json"
        assert json.loads(request.body) == {"total": 1, "tags": ["a"], "none": None}
        made = delivery(whole=False, body=b"<paid/>", content_type="application/xml")
        _, [request] = await sent("/x", made, mode="raw")
        assert (request.headers["content-type"], request.body) == ("application/xml", b"<paid/>")
        assert not [name for name in request.headers if name.startswith("ce-")]

    run(scenario())


def test_a_batch_is_one_request_that_a_receiver_reads_as_its_events(run: Run) -> None:
    events = [
        b'{"specversion":"1.0","id":"%d","source":"s","type":"t","data":{"n":%d}}' % (n, n) for n in range(3)
    ]
    attributes = {"specversion": "1.0", "id": "9", "source": "s", "type": "t", "dataschema": "x", "rank": 4}
    made = [delivery(event, delivery_id=f"msg_{n}", attempt=n + 1) for n, event in enumerate(events)]
    made += [
        delivery(attributes=attributes, whole=False, body=b'{"a":1}', content_type="application/json"),
        delivery(attributes=attributes, whole=False, body="é".encode(), content_type="text/plain"),
        delivery(attributes=attributes, whole=False, body=b"\xff", content_type="image/png"),
    ]

    async def scenario() -> None:
        async with Receiver() as receiver, opened(receiver.url(), mode="batched") as target:
            assert target.max_batch > 1
            outcomes = await target.send_batch(made)
            again = await target.send_batch(made)
            assert [type(one) for one in (*outcomes, *again)] == [Delivered] * 12
            first, second = receiver.requests
        assert first.headers["content-type"] == "application/cloudevents-batch+json; charset=utf-8"
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.headers["webhook-id"] not in ("msg_0", "msg_1")
        read = decode([(name.encode(), value.encode()) for name, value in first.headers.items()], first.body)
        assert [event.id for event in read] == ["0", "1", "2", "9", "9", "9"]
        documents = json.loads(first.body)
        assert [one.get("data", one.get("data_base64")) for one in documents[3:]] == [{"a": 1}, "é", "/w=="]
        assert "dataschema" not in documents[3]
        assert documents[3]["rank"] == 4

    run(scenario())


def test_a_batch_has_one_outcome_for_all(run: Run) -> None:
    async def scenario() -> None:
        async with (
            Receiver(lambda request: Answer(422, b"no")) as receiver,
            opened(receiver.url(), mode="batched") as target,
        ):
            outcomes = await target.send_batch([delivery(), delivery()])
        assert [type(one) for one in outcomes] == [Reject, Reject]
        assert len(receiver.requests) == 1

    run(scenario())


def test_values_of_the_event_fill_the_path_and_the_query_and_change_neither(run: Run) -> None:
    async def scenario() -> None:
        outcome, [request] = await sent("/users/${subject}/x?type=${type}&n=${data.total}&a=b#part")
        assert isinstance(outcome, Delivered)
        assert request.target == "/users/o%2F..%2F7%20%E2%82%AC/x?type=order.paid&n=1&a=b"

    run(scenario())


@pytest.mark.parametrize(
    ("path", "subject", "reason"),
    [
        ("/${data.nothing}", "x", "data.nothing is not in this event"),
        ("/${data.none}", "x", "data.none is not in this event"),
        ("/a?b=${data.tags}", "x", "data.tags is a list"),
        ("/${data}", "x", "data is an object"),
        ("/a/${subject}/b", "..", "path segment .."),
        ("/a/.${subject}", ".", "path segment .."),
        ("/a/${subject}", ".", "path segment ."),
        ("/a/${subject}", "x" * 9000, "longer than 8 KiB"),
    ],
)
def test_an_event_that_does_not_fit_the_url_is_rejected_and_nothing_is_sent(
    run: Run, path: str, subject: str, reason: str
) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": subject}
    raw = json.dumps(event | {"data": {"tags": [], "none": None}}).encode()

    async def scenario() -> None:
        outcome, requests = await sent(path, delivery(raw))
        assert isinstance(outcome, Reject)
        assert reason in outcome.reason
        assert requests == []

    run(scenario())


@pytest.mark.parametrize("nasty", ["a\r\nX-Evil: 1", "a\nb", "\x00\x1f\x7f", "é€", '100% "q"', "a&b=c?d#e/f"])
def test_no_value_of_an_event_breaks_out_of_its_place(run: Run, nasty: str) -> None:
    raw = json.dumps(
        {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {"v": nasty}}
    ).encode()

    async def scenario() -> None:
        outcome, [request] = await sent(
            "/p/${data.v}/q?v=${data.v}&w=1", delivery(raw), event_headers={"X-V": "v ${data.v}", "X-W": "w"}
        )
        assert isinstance(outcome, Delivered)
        path, _mark, query = request.target.partition("?")
        assert path.count("/") == 3
        assert query.count("&") == 1
        assert query.endswith("&w=1")
        assert "x-evil" not in request.headers
        assert request.headers["x-w"] == "w"
        assert request.headers["x-v"].isprintable()
        assert request.headers["x-v"].startswith("v ")

    run(scenario())


def test_a_header_whose_value_the_event_lacks_is_left_out(run: Run) -> None:
    async def scenario() -> None:
        headers = {"X-Subject": "${subject}", "X-None": "a-${data.none}", "X-Total": "${data.total} EUR"}
        _, [request] = await sent("/", event_headers=headers)
        assert request.headers["x-subject"] == "o/../7%20%E2%82%AC"
        assert request.headers["x-total"] == "1 EUR"
        assert "x-none" not in request.headers

    run(scenario())


@pytest.mark.parametrize("status", [404, 410])
def test_with_a_url_of_the_event_404_and_410_reject_that_event_only(run: Run, status: int) -> None:
    async def scenario() -> None:
        outcome, _ = await sent("/${data.total}", status=status)
        assert isinstance(outcome, Reject)
        outcome, _ = await sent("/fixed", status=status)
        assert not isinstance(outcome, Reject)

    run(scenario())


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"url": "https://${subject}.example/"}, "url"),
        ({"url": "https://shop.example:${data.port}/"}, "url"),
        ({"url": "https://${data.user}@shop.example/"}, "url"),
        ({"url": "${data.url}"}, "url"),
        ({"url": "https://shop.example/%2${subject}"}, "url"),
        ({"url": "https://shop.example/../${subject}"}, "url"),
        ({"url": "https://shop.example/${*}"}, "url"),
        ({"url": "https://shop.example/${data.items[*]}"}, "url"),
        ({"url": "https://shop.example/${"}, "url"),
        ({"url": "https://shop.example/${subject}", "mode": "batched"}, "mode"),
        ({"event_headers": {"X-A": "${subject}"}, "mode": "batched"}, "mode"),
        ({"event_headers": {"X-A": "é ${subject}"}}, "event_headers"),
        ({"event_headers": {"X-A": "a\r\nb"}}, "event_headers"),
        ({"event_headers": {"ce-id": "${subject}"}}, "event_headers"),
        ({"event_headers": {"X-A": "1"}, "headers": {"x-a": "2"}}, "headers"),
    ],
)
def test_templates_that_could_lead_elsewhere_are_refused_when_saved(
    run: Run, config: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidConfig) as refused:
        HTTPTarget.Config.load({"url": "https://shop.example/", **config})
    assert field in refused.value.problems


def test_no_redirect_is_followed(run: Run) -> None:
    async def scenario() -> None:
        async with Receiver(lambda request: Answer(302, b"", {"location": "/other"})) as receiver:
            async with opened(receiver.url()) as target:
                outcome = await target.send(delivery())
            assert isinstance(outcome, Reject)
            assert "points to /other" in outcome.reason
            assert len(receiver.requests) == 1

    run(scenario())


def test_an_answer_of_the_target_about_another_host_stops_it(run: Run) -> None:
    async def scenario() -> None:
        outcome, _ = await sent("/", status=401)
        assert isinstance(outcome, Misconfigured)

    run(scenario())


def test_every_phase_has_its_time(run: Run) -> None:
    big = json.dumps(
        {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": "x" * 3_000_000}
    ).encode()

    async def scenario() -> None:
        outcome, _ = await sent("/", delivery(big))
        timings = outcome.timings
        assert timings is not None
        assert timings.connect > 0
        assert timings.write > 0
        assert timings.first_byte >= 0
        assert timings.end >= 0
        parts = timings.dns + timings.connect + timings.tls + timings.write + timings.first_byte + timings.end
        assert parts <= timings.total + 1e-6

    run(scenario())
