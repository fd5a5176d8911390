"""How an HTTP target says who is calling: basic, bearer, API key, OAuth 2.0 client credentials."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from delivery.connectors.config import InvalidConfig
from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.remembered import TokensInMemory
from delivery.connectors.spi import Delivered, Misconfigured, Retry
from tests.integration.http_scenarios import Run, in_both_loops
from tests.integration.receiver import Answer, Receiver, Request, delivery, opened

pytestmark = in_both_loops

CLIENT = {"auth": "oauth2", "client_id": "box", "client_secret": "s3cret+/&"}


async def sent(path: str = "/x", **config: object) -> Request:
    async with Receiver() as receiver, opened(receiver.url(path), **config) as target:
        assert isinstance(await target.send(delivery()), Delivered)
        [request] = receiver.requests
        return request


def test_basic_and_bearer_go_into_the_authorization_header(run: Run) -> None:
    async def scenario() -> None:
        request = await sent(auth="basic", username="bot", password="pä:ss")
        expected = base64.b64encode("bot:pä:ss".encode()).decode()
        assert request.headers["authorization"] == f"Basic {expected}"
        assert (await sent(auth="bearer", token="t0ken")).headers["authorization"] == "Bearer t0ken"

    run(scenario())


def test_an_api_key_goes_into_its_header_or_the_query(run: Run) -> None:
    async def scenario() -> None:
        key = {"auth": "api_key", "api_key": "k y&="}
        request = await sent(**key, api_key_name="X-Key")
        assert request.headers["x-key"] == "k y&="
        assert request.target == "/x"
        request = await sent(**key, api_key_in="query", api_key_name="key")
        assert request.target == "/x?key=k%20y%26%3D"
        request = await sent("/${data.total}?a=1", **key, api_key_in="query", api_key_name="key")
        assert request.target == "/1?a=1&key=k%20y%26%3D"

    run(scenario())


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"auth": "basic"}, "username"),
        ({"auth": "basic", "username": "a:b"}, "username"),
        ({"auth": "bearer"}, "token"),
        ({"auth": "bearer", "token": "a\r\nb"}, "token"),
        ({"auth": "api_key", "api_key": "é"}, "api_key"),
        ({"auth": "api_key", "api_key": "k", "api_key_name": "Host"}, "api_key"),
        ({"auth": "api_key", "api_key": "k", "api_key_name": "webhook-id"}, "api_key_name"),
        ({"auth": "oauth2"}, "token_url"),
        ({**CLIENT, "token_url": "ftp://x"}, "token_url"),
        ({**CLIENT, "token_url": "https://u:p@login.example/"}, "token_url"),
        ({"auth": "bearer", "token": "t", "headers": {"Authorization": "x"}}, "headers"),
        ({"auth": "bearer", "token": "t", "url": "https://u:p@shop.example/"}, "auth"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_saved(run: Run, config: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        HTTPTarget.Config.load({"url": "https://shop.example/", **config})
    assert field in refused.value.problems


# OAuth 2.0


class Login:
    """A token endpoint that counts, and a target that takes the newest token only."""

    def __init__(self, expires_in: Any = 3600, wait: float = 0.0) -> None:
        self.numbers = itertools.count(1)
        self.newest = ""
        self.expires_in = expires_in
        self.asked: list[Request] = []

    def token(self, request: Request) -> Answer:
        self.asked.append(request)
        self.newest = f"token-{next(self.numbers)}"
        answer = {"access_token": self.newest, "token_type": "bearer", "expires_in": self.expires_in}
        return Answer(200, json.dumps(answer).encode())

    def hook(self, request: Request) -> Answer:
        good = request.headers.get("authorization") == f"Bearer {self.newest}"
        return Answer(200 if good else 401, request.headers.get("authorization", "").encode())


async def with_login(
    login: Login,
    scenario: Callable[[HTTPTarget, Receiver], Any],
    token: Callable[[Request], Answer] | None = None,
    **config: object,
) -> None:
    async with (
        Receiver(token or login.token) as server,
        Receiver(login.hook) as hook,
        opened(hook.url(), token_url=server.url("/token"), **{**CLIENT, **config}) as target,
    ):
        await scenario(target, hook)


def test_one_token_is_fetched_for_all_that_wait_and_used_until_it_ends(run: Run) -> None:
    login = Login()

    async def scenario(target: HTTPTarget, hook: Receiver) -> None:
        outcomes = await asyncio.gather(*[target.send(delivery()) for _ in range(20)])
        assert {type(one) for one in outcomes} == {Delivered}
        assert isinstance(await target.send(delivery()), Delivered)
        assert len(login.asked) == 1

    run(with_login(login, scenario, scope="read write", audience="https://shop.example"))
    [request] = login.asked
    pair = base64.b64encode(b"box:s3cret%2B%2F%26").decode()
    assert request.headers["authorization"] == f"Basic {pair}"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    assert form == {
        "grant_type": "client_credentials",
        "scope": "read write",
        "audience": "https://shop.example",
    }


def test_the_client_may_show_its_secret_in_the_form(run: Run) -> None:
    login = Login()

    async def scenario(target: HTTPTarget, hook: Receiver) -> None:
        assert isinstance(await target.send(delivery()), Delivered)

    run(with_login(login, scenario, client_auth="post"))
    [request] = login.asked
    assert "authorization" not in request.headers
    form = parse_qs(request.body.decode())
    assert (form["client_id"], form["client_secret"]) == (["box"], ["s3cret+/&"])


def test_a_token_that_the_target_no_longer_takes_is_replaced_once_for_all(run: Run) -> None:
    login = Login()

    async def scenario(target: HTTPTarget, hook: Receiver) -> None:
        assert isinstance(await target.send(delivery()), Delivered)
        login.newest = "revoked"
        outcomes = await asyncio.gather(*[target.send(delivery()) for _ in range(10)])
        assert {type(one) for one in outcomes} == {Delivered}
        assert len(login.asked) == 2

    run(with_login(login, scenario))


def test_a_target_that_takes_no_token_at_all_is_asked_once_more_and_stops(run: Run) -> None:
    login = Login()
    login.hook = lambda request: Answer(401, b"you sent " + request.headers["authorization"].encode())  # type: ignore[method-assign]

    async def scenario(target: HTTPTarget, hook: Receiver) -> None:
        outcome = await target.send(delivery())
        assert isinstance(outcome, Misconfigured)
        assert len(hook.requests) == 1
        outcome = await target.send(delivery())
        assert len(hook.requests) == 2
        assert "token-" not in outcome.excerpt_text + outcome.reason
        assert "••••" in outcome.reason

    run(with_login(login, scenario))


def test_a_token_that_ended_is_fetched_anew(run: Run) -> None:
    login = Login(expires_in=1)

    async def scenario(target: HTTPTarget, hook: Receiver) -> None:
        await target.send(delivery())
        await asyncio.sleep(0.8)  # a quarter before its end
        assert isinstance(await target.send(delivery()), Delivered)
        assert len(login.asked) == 2

    run(with_login(login, scenario))


def test_two_processes_share_one_token(run: Run) -> None:
    login, tokens = Login(), TokensInMemory()

    async def scenario() -> None:
        async with Receiver(login.token) as server, Receiver(login.hook) as hook:
            config = {"token_url": server.url(), **CLIENT}
            async with (
                opened(hook.url(), tokens=tokens, **config) as one,
                opened(hook.url(), tokens=tokens, **config) as other,
            ):
                await asyncio.gather(one.send(delivery()), other.send(delivery()))
                assert len(login.asked) == 1
                login.newest = "revoked"
                outcomes = [await one.send(delivery()), await other.send(delivery())]
                assert {type(one) for one in outcomes} == {Delivered}
                assert len(login.asked) == 2

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "kind", "part"),
    [
        (Answer(401, b'{"error":"invalid_client"}'), Misconfigured, "401 (invalid_client)"),
        (Answer(400, b'{"error":"<b>no"}'), Misconfigured, "answers 400."),
        (Answer(503, b""), Retry, "503"),
        (Answer(429, b""), Retry, "429"),
        (Answer(302, b"", {"location": "/elsewhere"}), Retry, "302"),
        (Answer(200, b"[]"), Retry, "holds none"),
        (Answer(200, b"<html>"), Retry, "holds none"),
        (Answer(200, b'{"access_token":"a\\r\\nb"}'), Retry, "holds none"),
        (Answer(200, b'{"access_token":"a","token_type":"mac"}'), Misconfigured, "not of the type Bearer"),
    ],
)
def test_what_a_token_endpoint_may_say_instead(
    run: Run, answer: Answer, kind: type[object], part: str
) -> None:
    async def scenario(target: HTTPTarget, hook: Receiver) -> None:
        outcome = await target.send(delivery())
        assert type(outcome) is kind
        assert part in outcome.reason  # type: ignore[attr-defined]
        assert hook.requests == []

    run(with_login(Login(), scenario, lambda request: answer))


def test_the_token_endpoint_is_under_the_same_policy_of_addresses(run: Run) -> None:
    async def scenario() -> None:
        async with Receiver() as hook:
            config = {**CLIENT, "token_url": "http://169.254.169.254/token"}
            async with opened(hook.url(), **config) as target:
                outcome = await target.send(delivery())
            assert isinstance(outcome, Misconfigured)
            assert "169.254.169.254" in outcome.reason
            assert hook.requests == []

    run(scenario())


def test_one_deadline_counts_for_the_token_and_the_delivery(run: Run) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.transport.abort()

        server = await asyncio.start_server(never, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with Receiver() as hook, opened(hook.url(), timeout=1, token_url=url, **CLIENT) as target:
            began = loop.time()
            outcome = await target.send(delivery())
            assert isinstance(outcome, Retry)
            assert loop.time() - began < 5  # a busy machine's time included
        server.close()

    run(scenario())
