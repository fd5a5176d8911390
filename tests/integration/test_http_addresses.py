"""Names, addresses and TLS: the client connects to what was checked, and to nothing else."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from delivery.http import Blocked, Client, DeliveryError
from delivery.http import resolver as resolver_module
from delivery.http.address import IPAddress
from delivery.http.resolver import Resolver
from tests.integration.hostile import Server, self_signed
from tests.integration.http_scenarios import (
    AMPLE,
    LOOPBACK,
    SHORT,
    Answers,
    Run,
    client,
    in_both_loops,
    post,
    post_error,
)

pytestmark = in_both_loops


def test_a_name_that_does_not_exist_is_an_error_of_its_own(run: Run) -> None:
    async def scenario() -> None:
        error = await post_error("http://x.invalid/", timeout=AMPLE)
        assert error.kind == "dns"
        assert "x.invalid" in error.sentence

    run(scenario())


def test_localhost_leads_to_the_allowed_loopback_address(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            response = await post(server.url("/ok", host="localhost"))
            assert (response.status, response.address) == (200, "127.0.0.1")

    run(scenario())


def test_a_name_is_asked_once_per_connection_and_the_answer_is_what_is_connected_to(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            # the second answer is what a rebinding attack would have us connect to after the check
            answers = Answers(["127.0.0.1"], ["10.0.0.1"])
            async with client(resolver=answers) as made:
                endpoint = made.endpoint(server.url("/http10-length", host="shop.example"))
                assert (await endpoint.request(b"POST", b"", b"", timeout=AMPLE)).status == 200
                assert answers.asked == ["shop.example"]
                with pytest.raises(Blocked, match=r"10\.0\.0\.1"):
                    await endpoint.request(b"POST", b"", b"", timeout=AMPLE)
            assert server.connections == 1

    run(scenario())


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["127.0.0.1", "10.0.0.1"],
        ["169.254.169.254", "127.0.0.1"],
        ["127.0.0.1", "::1"],
        ["::ffff:7f00:1"],
    ],
)
def test_a_name_with_one_forbidden_address_is_forbidden(run: Run, addresses: list[str]) -> None:
    async def scenario() -> None:
        async with Server() as server:
            error = await post_error(server.url("/ok", host="shop.example"), resolver=Answers(addresses))
            assert error.kind == "blocked"
            assert server.connections == 0

    run(scenario())


def test_the_next_address_is_tried_when_one_does_not_answer(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            answers = Answers(["127.0.0.2", "127.0.0.1"])
            response = await post(server.url("/ok", host="shop.example"), resolver=answers)
            assert (response.status, response.address) == (200, "127.0.0.1")

    run(scenario())


def test_a_refused_connection_is_an_error_of_its_own(run: Run) -> None:
    async def scenario() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port meanwhile
            error = await post_error(f"http://127.0.0.1:{unused.getsockname()[1]}/")
        assert error.kind == "connect"
        assert "refused" in error.sentence
        assert error.address == "127.0.0.1"

    run(scenario())


def test_a_connection_that_is_never_accepted_ends_at_the_deadline(run: Run) -> None:
    async def scenario() -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            others = [socket.socket() for _ in range(4)]
            for other in others:
                other.setblocking(False)
                other.connect_ex(full.getsockname())
            error = await post_error(f"http://127.0.0.1:{full.getsockname()[1]}/", timeout=SHORT)
            for other in others:
                other.close()
        assert error.kind == "timeout"
        assert error.sentence.startswith("Connecting to 127.0.0.1")

    run(scenario())


def test_a_name_server_that_never_answers_ends_at_the_deadline(run: Run) -> None:
    class Never(Resolver):
        async def resolve(self, name: str) -> list[IPAddress]:
            await asyncio.sleep(3600)
            return []

    async def scenario() -> None:
        error = await post_error("http://shop.example/", timeout=SHORT, resolver=Never())
        assert error.kind == "timeout"
        assert error.timings.dns > 0

    run(scenario())


def test_a_name_without_addresses_is_said_so(run: Run) -> None:
    async def scenario() -> None:
        error = await post_error("http://shop.example/", resolver=Answers([]))
        assert error.kind == "dns"

    run(scenario())


# TLS


def test_a_certificate_that_nobody_vouches_for_is_refused(run: Run, tmp_path: Path) -> None:
    _, context = self_signed(tmp_path, "shop.example")

    async def scenario() -> None:
        async with Server(context) as server:
            url = server.url("/ok", host="shop.example")
            error = await post_error(url, resolver=Answers(["127.0.0.1"]))
            assert error.kind == "tls"
            assert "certificate" in error.sentence
            assert server.paths == []

    run(scenario())


def test_the_name_in_the_url_is_what_the_certificate_must_have(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = self_signed(tmp_path, "shop.example")
    names: list[str | None] = []
    context.sni_callback = lambda stream, name, context: names.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def scenario() -> None:
        async with Server(context) as server:
            async with client(resolver=Answers(["127.0.0.1"])) as made:
                endpoint = made.endpoint(server.url("/ok", host="shop.example"))
                first = await endpoint.request(b"POST", b"", b"", timeout=AMPLE)
                assert (first.status, first.body) == (200, b"ok")
                assert first.timings.tls > 0
                assert (await endpoint.request(b"POST", b"", b"", timeout=AMPLE)).timings.reused
            error = await post_error(server.url("/ok", host="other.example"), resolver=Answers(["127.0.0.1"]))
            assert error.kind == "tls"
            assert "other.example" in error.sentence
        assert names == ["shop.example", "other.example"]

    run(scenario())


def test_a_plain_server_is_not_mistaken_for_a_tls_one(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            error = await post_error(server.url("/ok").replace("http:", "https:"), timeout=SHORT)
            assert error.kind in ("tls", "timeout")
            assert server.paths == []

    run(scenario())


def test_a_handshake_that_never_ends_ends_at_the_deadline(run: Run) -> None:
    async def scenario() -> None:
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen()
            error = await post_error(f"https://127.0.0.1:{mute.getsockname()[1]}/", timeout=SHORT)
        assert error.kind == "timeout"
        assert "TLS" in error.sentence

    run(scenario())


def test_a_peer_that_speaks_first_is_an_error(run: Run) -> None:
    async def scenario() -> None:
        async with Server(greeting=b"220 mail.example ESMTP\r\n") as server:
            assert (await post_error(server.url("/ok"))).kind in ("closed", "protocol")

    run(scenario())


def test_closing_the_client_ends_a_lookup_that_is_under_way(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    answer = threading.Event()

    def lookup(name: str) -> list[IPAddress]:
        asked.set()
        answer.wait(20)
        return []

    monkeypatch.setattr(resolver_module, "lookup", lookup)

    async def scenario() -> None:
        made = Client(LOOPBACK, "Signalbox/test")
        endpoint = made.endpoint("http://shop.example/")
        tasks = [asyncio.create_task(endpoint.request(b"POST", b"", b"", timeout=AMPLE)) for _ in range(3)]
        while not asked.is_set():
            await asyncio.sleep(0.01)
        await made.close()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert [error.kind for error in errors if isinstance(error, DeliveryError)] == ["closed"] * 3

    run(scenario())
    answer.set()
