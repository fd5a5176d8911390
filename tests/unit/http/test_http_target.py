"""The HTTP target: what it sends, without sockets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import httptools
import jsonschema
import pytest

from delivery.cloudevents import decode
from delivery.connectors import registry as registry_module
from delivery.connectors.config import InvalidConfig
from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.registry import ConnectorUnavailable, connector, registry
from delivery.connectors.spi import Delivered, Delivery, Misconfigured, Reject, Retry, Services, Target
from delivery.http import AddressPolicy, Blocked, Client, DeliveryError, Response, Timings

URL = "https://shop.example/hook"
ATTRIBUTES: dict[str, str | int | bool] = {
    "specversion": "1.0",
    "id": "7",
    "source": "/shop",
    "type": "order.paid",
    "subject": 'Größe 100% "x"',
    "datacontenttype": "application/json",
    "dataschema": "https://schema.example/1",
    "retries": 3,
    "vip": True,
}
EVENT = json.dumps({**ATTRIBUTES, "data": {"total": 1}}).encode()
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class RecordingEndpoint:
    def __init__(self, answers: list[Response | DeliveryError]) -> None:
        self.answers = answers
        self.sent: list[tuple[bytes, bytes, bytes, float]] = []
        self.closed = 0

    url = AddressPolicy().check_url(URL)

    async def request(self, method: bytes, headers: bytes, body: bytes, *, timeout: float) -> Response:
        self.sent.append((method, headers, body, timeout))
        answer = self.answers.pop(0)
        if isinstance(answer, DeliveryError):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed += 1


class RecordingClient:
    def __init__(self, *answers: Response | DeliveryError) -> None:
        self.endpoint_made = RecordingEndpoint(list(answers) or [ok()])
        self.asked: list[tuple[str, list[tuple[str, str]], int]] = []

    def endpoint(
        self, url: str, *, headers: Sequence[tuple[str, str]], max_connections: int, tls: Any, proxy: str
    ) -> RecordingEndpoint:
        self.asked.append((url, list(headers), max_connections))
        return self.endpoint_made


def ok() -> Response:
    return Response(200, {}, b"", False, Timings(), "192.0.2.1")


def delivery(**changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "event": EVENT,
        "attributes": ATTRIBUTES,
        "delivery_id": "msg_1",
        "attempt": 2,
        "whole": True,
    }
    return Delivery(**{**fields, **changes})


async def sent(made: Delivery, **config: Any) -> tuple[str, dict[str, str], bytes]:
    """Method, headers by lower-case name and body of the one request that the delivery becomes."""
    client = RecordingClient()
    settings = HTTPTarget.Config.load({"url": URL, **config})
    target = HTTPTarget(settings, Services(cast(Client, client)), clock=lambda: 1_700_000_000.9)
    await target.open()
    assert isinstance(await target.send(made), Delivered)
    method, block, body, timeout = client.endpoint_made.sent[0]
    assert timeout == settings.timeout
    return method.decode(), parsed(block), body


def parsed(block: bytes) -> dict[str, str]:
    """Header lines as a server reads them; a name must not come twice."""
    headers: dict[str, str] = {}

    class Reader:
        def on_header(self, name: bytes, value: bytes) -> None:
            key = name.decode().lower()
            assert key not in headers
            headers[key] = value.decode("ascii")

    httptools.HttpRequestParser(Reader()).feed_data(b"POST / HTTP/1.1\r\n" + block + b"\r\n")
    return headers


async def test_a_whole_event_goes_in_binary_mode_and_a_receiver_reads_the_same_event() -> None:
    method, headers, body = await sent(delivery())
    assert method == "POST"
    assert headers["content-type"] == "application/json"
    assert headers["ce-subject"] == "Gr%C3%B6%C3%9Fe%20100%25%20%22x%22"
    assert json.loads(body) == {"total": 1}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    [event] = decode(pairs, body)
    assert event.attributes == {**ATTRIBUTES, "retries": "3", "vip": "true"}


async def test_a_whole_event_goes_in_structured_mode_as_it_was_stored() -> None:
    _, headers, body = await sent(delivery(), mode="structured")
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert body == EVENT
    assert not any(name.startswith("ce-") for name in headers)


async def test_binary_data_goes_as_bytes() -> None:
    event = b'{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"image/png","data_base64":"iVBO"}'
    _, headers, body = await sent(delivery(event=event))
    assert (headers["content-type"], body) == ("image/png", b"\x89PN")


@pytest.mark.parametrize("mode", ["binary", "structured"])
async def test_what_a_transform_made_goes_with_its_type_and_says_which_event_it_came_from(mode: str) -> None:
    made = delivery(whole=False, body=b"<paid/>", content_type="application/xml")
    _, headers, body = await sent(made, mode=mode)
    assert (headers["content-type"], body) == ("application/xml", b"<paid/>")
    assert headers["ce-id"] == "7"
    assert "ce-dataschema" not in headers


@pytest.mark.parametrize("mode", ["binary", "structured"])
async def test_every_request_carries_the_id_the_time_and_the_attempt(mode: str) -> None:
    _, headers, _ = await sent(delivery(), mode=mode)
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["signalbox-attempt"] == "2"
    assert "signalbox-replay" not in headers
    _, headers, _ = await sent(delivery(replay=True), mode=mode)
    assert headers["signalbox-replay"] == "true"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, {}),
        ({"traceparent": TRACEPARENT}, {"traceparent": TRACEPARENT}),
        (
            {"traceparent": TRACEPARENT, "tracestate": "a=1,b=2"},
            {"traceparent": TRACEPARENT, "tracestate": "a=1,b=2"},
        ),
        ({"traceparent": TRACEPARENT, "tracestate": "a=1\r\nx: y"}, {"traceparent": TRACEPARENT}),
        ({"traceparent": TRACEPARENT + "\r\nx: y"}, {}),
        ({"traceparent": "nonsense", "tracestate": "a=1"}, {}),
        ({"traceparent": 7}, {}),
        ({"tracestate": "a=1"}, {}),
    ],
)
async def test_the_trace_of_the_publisher_goes_on(
    attributes: dict[str, Any], expected: dict[str, str]
) -> None:
    _, headers, _ = await sent(delivery(attributes={**ATTRIBUTES, **attributes}), mode="structured")
    assert {
        name: value for name, value in headers.items() if name.startswith("trace") or name == "x"
    } == expected


@pytest.mark.parametrize("content_type", ["text/plain\r\nx: y", "text/plain\n", "text/plän"])
async def test_a_content_type_that_would_split_the_request_is_refused(content_type: str) -> None:
    client = RecordingClient()
    target = HTTPTarget(HTTPTarget.Config.load({"url": URL}), Services(cast(Client, client)))
    await target.open()
    outcome = await target.send(delivery(whole=False, body=b"", content_type=content_type))
    assert isinstance(outcome, Reject)
    assert client.endpoint_made.sent == []


async def test_method_headers_and_connections_are_those_of_the_config() -> None:
    client = RecordingClient()
    config = HTTPTarget.Config.load(
        {"url": URL, "method": "PUT", "timeout": 3, "headers": {"Authorization": "Bearer t"}}
    )
    target = HTTPTarget(config, Services(cast(Client, client)))
    await target.open()
    await target.send(delivery())
    assert client.asked == [(URL, [("Authorization", "Bearer t")], HTTPTarget.max_in_flight)]
    assert client.endpoint_made.sent[0][0] == b"PUT"
    assert client.endpoint_made.sent[0][3] == 3.0
    await target.close()
    await target.close()
    assert client.endpoint_made.closed == 1


async def test_what_goes_wrong_is_an_outcome_and_no_exception() -> None:
    client = RecordingClient(DeliveryError("connect", "Refused."), Blocked("Forbidden."))
    target = HTTPTarget(HTTPTarget.Config.load({"url": URL}), Services(cast(Client, client)))
    await target.open()
    assert await target.send(delivery()) == Retry("Refused.", timings=Timings())
    assert await target.send(delivery()) == Misconfigured("Forbidden.", timings=Timings())


async def test_a_url_that_the_policy_forbids_stops_the_target_and_opens_nothing() -> None:
    client = Client(AddressPolicy(), "Signalbox/test")
    target = HTTPTarget(HTTPTarget.Config.load({"url": "http://127.0.0.1:8000/"}), Services(client))
    await target.open()
    outcome = await target.send(delivery())
    assert isinstance(outcome, Misconfigured)
    assert "loopback" in outcome.reason
    await client.close()


async def test_a_target_that_is_not_open_does_not_pretend_to_send() -> None:
    target = HTTPTarget(HTTPTarget.Config.load({"url": URL}), Services(cast(Client, RecordingClient())))
    with pytest.raises(RuntimeError):
        await target.send(delivery())


# changes to a good config, field, part of the sentence
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"url": ""}, "url", "empty"),
    ({"url": "shop.example"}, "url", "must begin with"),
    ({"url": "https://0x7f.1/"}, "url", "four decimal numbers"),
    ({"url": "https://shop.example:22/"}, "url", "Port 22"),
    ({"method": "GET"}, "method", "POST, PUT"),
    ({"mode": "batch"}, "mode", "binary, structured"),
    ({"timeout": 0.5}, "timeout", "at least 1"),
    ({"timeout": 61}, "timeout", "at most 60"),
    ({"headers": {"Host": "a"}}, "headers", "Host"),
    ({"headers": {"content-LENGTH": "1"}}, "headers", "content-LENGTH"),
    ({"headers": {"Transfer-Encoding": "chunked"}}, "headers", "Transfer-Encoding"),
    ({"headers": {"Connection": "close"}}, "headers", "Connection"),
    ({"headers": {"X": "a\r\nb: c"}}, "headers", "line break"),
    ({"headers": {"X": "a\nb"}}, "headers", "line break"),
    ({"headers": {"X\r\nY": "a"}}, "headers", "not a header name"),
    ({"headers": {"X": "a", "x": "b"}}, "headers", "twice"),
    ({"headers": {"Content-Type": "a/b"}}, "headers", "set by Signalbox"),
    ({"headers": {"Webhook-Id": "1"}}, "headers", "set by Signalbox"),
    ({"headers": {"CE-id": "1"}}, "headers", "set by Signalbox"),
    ({"headers": {"traceparent": "1"}}, "headers", "set by Signalbox"),
    ({"url": "https://u:p@shop.example/", "headers": {"Authorization": "x"}}, "headers", "keep one"),
]


@pytest.mark.parametrize(("change", "field", "part"), WRONG)
def test_a_config_that_cannot_work_is_refused_with_a_sentence(
    change: dict[str, Any], field: str, part: str
) -> None:
    with pytest.raises(InvalidConfig) as raised:
        HTTPTarget.Config.load({"url": URL, **change})
    assert list(raised.value.problems) == [field]
    assert part in raised.value.problems[field]


@pytest.mark.parametrize(
    "url", [URL, "http://127.0.0.1:8000/bin", "http://web:8000/", "https://u:p@shop.example/"]
)
def test_a_config_judges_the_url_and_not_the_place(url: str) -> None:
    assert HTTPTarget.Config.load({"url": url}).url == url


def test_the_schema_is_one_and_hides_header_values() -> None:
    schema = HTTPTarget.Config.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["url"]
    assert schema["properties"]["timeout"]["default"] == 10.0
    assert schema["properties"]["headers"]["additionalProperties"]["writeOnly"] is True
    assert "hunter2" not in repr(HTTPTarget.Config.load({"url": URL, "headers": {"X-Key": "hunter2"}}))


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"url": URL}, "POST https://shop.example/hook"),
        (
            {"url": "https://user:pw@shop.example:8443/a?token=x", "method": "PUT"},
            "PUT https://shop.example:8443/a?…",
        ),
    ],
)
def test_where_it_goes_is_described_without_secrets(config: dict[str, Any], line: str) -> None:
    assert HTTPTarget.describe(HTTPTarget.Config.load(config)) == line


def test_the_http_connector_is_found_by_name() -> None:
    assert connector("http") is HTTPTarget
    assert issubclass(HTTPTarget, Target)
    with pytest.raises(ConnectorUnavailable, match="There is no connector 'telex'; installed are http"):
        connector("telex")


def test_every_built_in_connector_can_be_loaded_and_says_what_it_is() -> None:
    for name, registered in registry().items():
        target = registered.load()
        assert target.name == name
        assert target.label
        assert target.icon
        jsonschema.Draft202012Validator.check_schema(target.Config.schema())


def test_a_connector_that_cannot_be_imported_is_named_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = registry_module.Registered("telex", "no_such_package:Telex", "telex")
    monkeypatch.setattr(registry_module, "registry", lambda: {"telex": broken})
    with pytest.raises(
        ConnectorUnavailable, match=r"telex cannot be loaded .* No module named 'no_such_package'"
    ):
        connector("telex")


def test_another_package_adds_connectors_and_cannot_replace_ours(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Entry:
        dist = None

        def __init__(self, name: str, value: str) -> None:
            self.name, self.value = name, value

    entries = [Entry("telex", "telex_connector:Telex"), Entry("http", "evil:Target")]
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: entries if group == registry_module.GROUP else []
    )
    found = registry_module.registry.__wrapped__()
    assert found["telex"].reference == "telex_connector:Telex"
    assert found["http"].reference == "delivery.connectors.http.target:HTTPTarget"
    assert "http" in caplog.text
