"""Ingest in a real web process, over sockets."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from tests.processes import Town, Towns, eventually

MAKE = """
from catalog.models import Bus, Team, Token
team = Team.objects.create(name="T", slug="t")
bus = Bus.objects.create(name="orders")
print(Token.issue(name="test", team=team, bus=bus)[1])
"""
PATH = "/v1/buses/orders/events"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LIMIT = 1024 * 1024


def make(town: Town) -> str:
    """A bus `orders` in `town`; returns the text of a token for it."""
    return town.manage("shell", "--no-imports", "-c", MAKE).strip()


def event(number: object, **attributes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "/load",
        "type": "load.sent",
        "subject": f"s{number}",
        **attributes,
    }


def rows(town: Town, like: str = "%") -> list[tuple[int, str]]:
    """Seq and id of the stored events whose id is like `like`, in order; read past the process, from the file."""
    return town.query("SELECT seq, ce_id FROM log_event WHERE ce_id LIKE %s ORDER BY seq", like)


class Client:
    """One keep-alive connection with a token."""

    def __init__(self, town: Town, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)
        self.headers = {"authorization": f"Bearer {token}", "content-type": STRUCTURED}

    def post(self, body: Any, headers: Mapping[str, str] = {}, **named: Any) -> tuple[int, Any]:
        """Status and answer of one request on this connection. Raises OSError or HTTPException without an answer."""
        sent = body if isinstance(body, bytes) or hasattr(body, "__next__") else json.dumps(body).encode()
        self.connection.request("POST", PATH, sent, {**self.headers, **headers}, **named)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture(scope="module")
def web(towns: Towns) -> Iterator[tuple[Town, str]]:
    """A web process that the tests of this file share, and a token for its bus `orders`."""
    with towns.new() as town:
        token = make(town)
        town.start("web")
        yield town, token


@pytest.fixture
def town(web: tuple[Town, str]) -> Town:
    return web[0]


@pytest.fixture
def client(web: tuple[Town, str]) -> Iterator[Client]:
    client = Client(*web)
    with closing(client.connection):
        yield client


def test_one_connection_carries_good_and_bad_requests_in_turn(client: Client, town: Town) -> None:
    client.connection.connect()
    socket_before = client.connection.sock
    found = [
        client.post(event("alive-1"))[0],
        client.post(b"{")[0],
        client.post(event("x"), {"authorization": "Bearer x"})[0],
        client.post(event("x"), {"content-type": "text/html"})[0],
        client.post([event("alive-2"), event("alive-3")], {"content-type": BATCH})[0],
        client.post(b" " * (LIMIT + 1))[0],
        client.post(event("alive-4"))[0],
    ]
    assert found == [202, 400, 401, 415, 202, 413, 202]
    assert client.connection.sock is socket_before
    assert [name for _, name in rows(town, "alive-%")] == ["alive-1", "alive-2", "alive-3", "alive-4"]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_body_of_unstated_length_is_read(client: Client, town: Town, size: int) -> None:
    body = json.dumps(event(f"chunked-{size}", data="x" * 1000)).encode()
    parts = iter([body[at : at + size] for at in range(0, len(body), size)])
    status, answer = client.post(parts, {"transfer-encoding": "chunked"}, encode_chunked=True)
    assert status == 202
    assert rows(town, f"chunked-{size}") == [(answer["accepted"][0]["seq"], f"chunked-{size}")]


def test_a_body_of_unstated_length_is_refused_where_it_exceeds_the_limit(client: Client, town: Town) -> None:
    parts = iter([b" " * LIMIT, b" ", json.dumps(event("never")).encode()])
    status, _ = client.post(parts, {"transfer-encoding": "chunked"}, encode_chunked=True)
    assert status == 413
    assert rows(town, "never") == []


def head(token: str, *fields: str) -> bytes:
    lines = [f"POST {PATH} HTTP/1.1", "host: x", f"authorization: Bearer {token}", *fields, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("expect", [(), ("expect: 100-continue",)])
def test_a_request_is_refused_by_its_head_before_its_body_is_sent(
    web: tuple[Town, str], expect: tuple[str, ...]
) -> None:
    town, token = web
    too_large = (f"content-type: {STRUCTURED}", f"content-length: {LIMIT + 1}", *expect)
    for sent, status in ((head(token, *too_large), b"413"), (head("wrong", *too_large), b"401")):
        with closing(socket.create_connection(("127.0.0.1", town.port), timeout=30)) as sock:
            sock.sendall(sent)
            assert sock.recv(4096).startswith(b"HTTP/1.1 " + status)


def test_who_asks_first_is_told_to_go_on(web: tuple[Town, str]) -> None:
    town, token = web
    body = json.dumps(event("asked-first")).encode()
    with closing(socket.create_connection(("127.0.0.1", town.port), timeout=30)) as sock:
        fields = (f"content-type: {STRUCTURED}", f"content-length: {len(body)}", "expect: 100-continue")
        sock.sendall(head(token, *fields))
        assert sock.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert sock.recv(4096).startswith(b"HTTP/1.1 202 ")


def test_requests_sent_without_waiting_are_answered_in_turn(web: tuple[Town, str]) -> None:
    town, token = web
    bodies = [json.dumps(event(f"piped-{number}")).encode() for number in range(20)]
    with closing(socket.create_connection(("127.0.0.1", town.port), timeout=30)) as sock:
        sock.sendall(
            b"".join(
                head(token, f"content-type: {STRUCTURED}", f"content-length: {len(body)}") + body
                for body in bodies
            )
        )
        received = b""
        while received.count(b'{"accepted"') < len(bodies):
            part = sock.recv(65536)
            assert part
            received += part
    assert [name for _, name in rows(town, "piped-%")] == [f"piped-{number}" for number in range(20)]
    at = [received.index(f'"piped-{number}"'.encode()) for number in range(20)]
    assert at == sorted(at)


@pytest.mark.parametrize("sent", [b"", b"half"])
def test_a_publisher_that_leaves_in_the_middle_leaves_nothing(web: tuple[Town, str], sent: bytes) -> None:
    """Its head alone would be an event without data, in binary mode."""
    town, token = web
    name = f"left-{len(sent)}"
    attributes = ("ce-specversion: 1.0", f"ce-id: {name}", "ce-source: /load", "ce-type: load.sent")
    with closing(socket.create_connection(("127.0.0.1", town.port), timeout=30)) as sock:
        sock.sendall(head(token, *attributes, "content-type: text/plain", "content-length: 10") + sent)
    # The same event, whole, is then the first of its name.
    whole = {"ce-specversion": "1.0", "ce-id": name, "ce-source": "/load", "ce-type": "load.sent"}
    client = Client(town, token)
    with closing(client.connection):
        _, answer = client.post(b"x" * 10, {**whole, "content-type": "text/plain"})
    assert "duplicate" not in answer["accepted"][0]


def send_all(town: Town, token: str, clients: int, each: int) -> dict[str, int]:
    """Posts `each` events from each of `clients` connections at the same time; id -> seq of those answered 202."""
    answered: dict[str, int] = {}

    def run(number: int) -> None:
        client = Client(town, token)
        with closing(client.connection):
            for turn in range(each):
                status, answer = client.post(event(f"{number}-{turn}"))
                assert status == 202, answer
                [accepted] = answer["accepted"]
                answered[accepted["id"]] = accepted["seq"]

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(run, range(clients)))
    return answered


def test_what_32_clients_send_at_once_is_stored_once_and_numbered_without_a_gap(towns: Towns) -> None:
    with towns.new() as town:
        token = make(town)
        town.start("web")
        answered = send_all(town, token, clients=32, each=200)
        stored = rows(town)
    assert len(answered) == 6400
    assert [seq for seq, _ in stored] == list(range(1, 6401))
    assert {name: seq for seq, name in stored} == answered
    # A client's next event was sent after the answer to the one before, so it comes later in the log.
    for client in range(32):
        seqs = [answered[f"{client}-{turn}"] for turn in range(200)]
        assert seqs == sorted(seqs)


def test_what_was_answered_before_a_stop_under_load_is_stored(towns: Towns) -> None:
    with towns.new() as town:
        token = make(town)
        town.start("web")
        answered: dict[str, int] = {}
        stopping = threading.Event()

        def run(number: int) -> list[int]:
            """Statuses of other answers than 202."""
            others, turn = [], 0
            client = Client(town, token)
            with closing(client.connection):
                while not stopping.is_set():
                    turn += 1
                    try:
                        status, answer = client.post(event(f"{number}-{turn}"))
                    except (OSError, http.client.HTTPException):
                        return others  # The server is gone.
                    if status == 202:
                        [accepted] = answer["accepted"]
                        answered[accepted["id"]] = accepted["seq"]
                    else:
                        others.append(status)
            return others

        with ThreadPoolExecutor(16) as pool:
            clients = [pool.submit(run, number) for number in range(16)]
            eventually(lambda: len(answered) > 500, "500 events are answered")
            try:
                status = town.stop("web")
            finally:
                stopping.set()
            others = [status for client in clients for status in client.result()]
        stored = {name: seq for seq, name in rows(town)}
        town.start("web")
        assert town.request("GET", "/livez").status == 200
    assert status == 0
    assert others == []
    assert len(answered) > 500
    assert {name: stored.get(name) for name in answered} == answered


# ── PostgreSQL ──


def asked(town: Town, sql: str) -> int:
    return int(town.query(sql)[0][0])


@pytest.mark.service("postgresql", "redis")
def test_postgresql_numbers_what_many_clients_send_without_a_gap(scaled_town: Town) -> None:
    token = make(scaled_town)
    scaled_town.start("web")
    answered = send_all(scaled_town, token, clients=16, each=50)
    assert sorted(answered.values()) == list(range(1, 801))
    assert asked(scaled_town, "SELECT count(DISTINCT ce_id) FROM log_event") == 800


@pytest.mark.service("postgresql", "redis")
def test_a_web_process_gets_over_a_database_that_dropped_its_connections(scaled_town: Town) -> None:
    token = make(scaled_town)
    scaled_town.start("web")
    client = Client(scaled_town, token)
    drop = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with closing(client.connection):
        # A wrong token makes it read the catalog again: the reader's connection is one of those dropped.
        assert client.post(event("before"))[0] == 202
        assert client.post(event("x"), {"authorization": "Bearer x"})[0] == 401
        assert asked(scaled_town, drop) >= 2
        seen = [client.post(event("after"))[0], client.post(event("x"), {"authorization": "Bearer x"})[0]]
        assert set(seen) <= {202, 401, 503}
        eventually(lambda: client.post(event("after"))[0] == 202, "events are taken again")
        eventually(
            lambda: client.post(event("x"), {"authorization": "Bearer x"})[0] == 401, "tokens are known again"
        )
