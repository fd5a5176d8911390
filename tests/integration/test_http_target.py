"""The HTTP target against real sockets."""

from __future__ import annotations

import pytest

from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.spi import Delivered, Delivery, Misconfigured, Outcome, Reject, Retry, Services
from tests.integration.hostile import Server
from tests.integration.http_scenarios import Run, client, in_both_loops

pytestmark = in_both_loops

EVENT = (
    b'{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","data":{"total":"1 \xe2\x82\xac"}}'
)


async def outcome(server: Server, path: str, **config: object) -> Outcome:
    made = Delivery(
        event=EVENT,
        attributes={"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid"},
        delivery_id="msg_1",
        attempt=1,
        whole=True,
    )
    async with client() as http:
        target = HTTPTarget(HTTPTarget.Config.load({"url": server.url(path), **config}), Services(http))
        await target.open()
        try:
            return await target.send(made)
        finally:
            await target.close()


def test_an_event_arrives_as_it_was_sent(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            binary = await outcome(server, "/echo", headers={"Authorization": "Bearer t"})
            assert isinstance(binary, Delivered)
            head, _, body = binary.excerpt.partition(b"\r\n\r\n")
            lines = head.decode("ascii").lower().split("\r\n")
            assert lines[0] == "post /echo http/1.1"
            assert {"authorization: bearer t", "ce-id: 1", "ce-type: order.paid", "webhook-id: msg_1"} < set(
                lines
            )
            assert body == '{"total":"1 €"}'.encode()

            structured = await outcome(server, "/echo", mode="structured")
            assert structured.excerpt.partition(b"\r\n\r\n")[2] == EVENT
            assert structured.address == "127.0.0.1"

    run(scenario())


@pytest.mark.parametrize(
    ("path", "kind", "part"),
    [
        ("/ok", Delivered, "200"),
        ("/cut-body-200", Delivered, "broke off"),
        ("/over-64k-refusal", Reject, "400: xxx"),
        ("/redirect", Reject, "points to /ok"),
        ("/close", Retry, "without an answer"),
        ("/malformed", Retry, "not valid HTTP"),
        ("/silent", Retry, "within 1 s"),
        ("/endless-error", Retry, "500"),
    ],
)
def test_each_misbehaviour_has_its_outcome(run: Run, path: str, kind: type[Outcome], part: str) -> None:
    async def scenario() -> None:
        async with Server() as server:
            result = await outcome(server, path, timeout=1)
            assert type(result) is kind
            assert part in (result.detail if isinstance(result, Delivered) else result.reason)  # type: ignore[attr-defined]
            assert result.timings is not None
            assert server.paths == [path]

    run(scenario())


def test_a_forbidden_address_stops_the_target(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            server_url = server.url("/ok", host="[::1]")
            async with client() as http:
                target = HTTPTarget(HTTPTarget.Config.load({"url": server_url}), Services(http))
                await target.open()
                result = await target.send(
                    Delivery(event=EVENT, attributes={}, delivery_id="msg_1", attempt=1, whole=True)
                )
            assert isinstance(result, Misconfigured)
            assert server.connections == 0

    run(scenario())
