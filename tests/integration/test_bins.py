"""Request bins over real sockets: they take anything, keep the newest, and answer once it is stored."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from typing import Any

import pytest

from tests.processes import Town, Towns

MAKE = """
from catalog.models import Team
from delivery.models import RequestBin
team, _ = Team.objects.get_or_create(name="T", slug="t")
for _ in range({count}):
    print(RequestBin.objects.create(name="A bin", team=team).address)
"""
SHOW = """
SELECT r.method, r.headers, r.body, r.size FROM delivery_binrequest r
JOIN delivery_requestbin b ON b.id = r.bin_id WHERE b.address = %s ORDER BY r.id DESC
"""
KEPT = 500
LIMIT = 1024 * 1024
BODY_KEPT = 64 * 1024


@pytest.fixture(scope="module")
def web(towns: Towns) -> Iterator[Town]:
    """A web process that the tests of this file share."""
    with towns.new() as town:
        town.start("web")
        yield town


@pytest.fixture(scope="module")
def unused(web: Town) -> Iterator[str]:
    return iter(new_bins(web, 12))


@pytest.fixture
def address(unused: Iterator[str]) -> str:
    """The address of a bin of its own."""
    return next(unused)


@pytest.fixture(scope="module")
def anything(web: Town) -> str:
    """The address of a bin whose content no test looks at."""
    return new_bins(web, 1)[0]


def new_bins(town: Town, count: int) -> list[str]:
    return town.manage("shell", "--no-imports", "-c", MAKE.format(count=count)).split()


def kept(town: Town, address: str) -> list[dict[str, Any]]:
    """What the bin's page would show, newest first."""
    return [
        {
            "method": method,
            "headers": headers
            if isinstance(headers, list)
            else json.loads(headers),  # SQLite keeps JSON as text.
            "body": body,
            "size": size,
        }
        for method, headers, body, size in town.query(SHOW, address)
    ]


def test_a_bin_keeps_what_it_was_sent(web: Town, address: str) -> None:
    body = '{"text": "Grüße"}'.encode()
    answer = web.request("POST", f"/bin/{address}/", body, {"Content-Type": "application/json", "ce-id": "7"})
    assert (answer.status, answer.json()) == (200, {"received": len(body)})
    [request] = kept(web, address)
    assert (request["method"], request["body"], request["size"]) == ("POST", body.decode(), len(body))
    assert ["content-type", "application/json"] in request["headers"]
    assert ["ce-id", "7"] in request["headers"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("rest", ["", "/", "/orders/7?x=1"])
def test_any_method_and_any_path_below_the_address_is_taken(
    web: Town, anything: str, method: str, rest: str
) -> None:
    assert web.request(method, f"/bin/{anything}{rest}").status == 200


@pytest.mark.parametrize(
    "path", ["/bin/", "/bin/AAAAAAAAAAAAAAAA", "/bin/AAAAAAAAAAAAAAAA/x", "/bin/%00/", "/bin/a.b/"]
)
def test_an_address_of_no_bin_is_not_found(web: Town, path: str) -> None:
    answer = web.request("POST", path, b"{}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_secrets_in_headers_are_masked_before_they_are_stored(web: Town, address: str) -> None:
    headers = {
        "Authorization": "Bearer hunter2-a",
        "Proxy-Authorization": "hunter2-b",
        "Cookie": "session=hunter2-c",
        "X-Api-Key": "hunter2-d",
        "X-Gitlab-Token": "hunter2-e",
        "X-Client-Secret": "hunter2-f",
        "webhook-id": "msg_1",
    }
    assert web.request("POST", f"/bin/{address}/", b"{}", headers).status == 200
    [request] = kept(web, address)
    shown = dict(request["headers"])
    assert "hunter2" not in json.dumps(shown)
    assert shown["authorization"] == "Bearer ••••••"
    assert shown["proxy-authorization"] == shown["cookie"] == shown["x-api-key"] == "••••••"
    assert shown["webhook-id"] == "msg_1"
    stored = b"".join(file.read_bytes() for file in web.var.glob("signalbox.sqlite3*"))
    assert b"hunter2" not in stored


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"\xff\x00\xfe", "���"),
        (b"a" * (BODY_KEPT + 1), "a" * BODY_KEPT),
        (b"b" * LIMIT, "b" * BODY_KEPT),
    ],
    ids=["empty", "not text", "longer than is kept", "as long as it may be"],
)
def test_the_body_is_kept_as_text_up_to_64_kib(web: Town, address: str, body: bytes, text: str) -> None:
    answer = web.request("POST", f"/bin/{address}/", body)
    assert (answer.status, answer.json()) == (200, {"received": len(body)})
    [request] = kept(web, address)
    assert (request["body"], request["size"]) == (text, len(body))


def test_a_body_above_1_mib_is_refused_by_its_stated_length_before_it_is_sent(
    web: Town, address: str
) -> None:
    with closing(socket.create_connection(("127.0.0.1", web.port), timeout=30)) as sock:
        head = f"POST /bin/{address}/ HTTP/1.1\r\nhost: x\r\ncontent-length: {LIMIT + 1}\r\n\r\n"
        sock.sendall(head.encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert kept(web, address) == []


def test_a_body_above_1_mib_of_unstated_length_is_refused(web: Town, address: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)) as connection:
        connection.request(
            "POST",
            f"/bin/{address}/",
            iter([b"c" * LIMIT, b"c"]),
            {"transfer-encoding": "chunked"},
            encode_chunked=True,
        )
        assert connection.getresponse().status == 413
    assert kept(web, address) == []


def test_a_sender_that_leaves_in_the_middle_leaves_nothing(web: Town, address: str) -> None:
    with closing(socket.create_connection(("127.0.0.1", web.port), timeout=30)) as sock:
        sock.sendall(f"POST /bin/{address}/ HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf".encode())
    assert web.request("POST", f"/bin/{address}/", b"whole").status == 200
    assert [request["body"] for request in kept(web, address)] == ["whole"]


def test_a_bin_keeps_its_newest_500_and_leaves_other_bins_alone(
    web: Town, address: str, unused: Iterator[str]
) -> None:
    other = next(unused)
    assert web.request("POST", f"/bin/{other}/", b"stays").status == 200
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)) as connection:
        for number in range(KEPT + 7):
            connection.request("POST", f"/bin/{address}/", str(number))
            with connection.getresponse() as answer:
                assert answer.status == 200
                answer.read()
    assert [request["body"] for request in kept(web, address)] == [
        str(number) for number in range(KEPT + 6, 6, -1)
    ]
    assert len(kept(web, other)) == 1


def test_what_was_answered_is_stored_although_the_web_process_is_killed_at_once(towns: Towns) -> None:
    with towns.new() as town:
        [address] = new_bins(town, 1)
        town.start("web")

        def send(number: int) -> str | None:
            try:
                return (
                    str(number)
                    if town.request("POST", f"/bin/{address}/", str(number)).status == 200
                    else None
                )
            except (OSError, http.client.HTTPException):
                return None

        with ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(send, number) for number in range(400)]
            wait(answers, return_when=FIRST_COMPLETED)
            town.kill("web")
            answered = {found for answer in answers if (found := answer.result()) is not None}
        assert answered
        assert answered <= {request["body"] for request in kept(town, address)}


@pytest.mark.service("postgresql", "redis")
def test_a_bin_works_on_postgresql_with_senders_at_the_same_time(scaled_town: Town) -> None:
    [address] = new_bins(scaled_town, 1)
    scaled_town.start("web")

    def send(number: int) -> int:
        return scaled_town.request("POST", f"/bin/{address}/", f"{number} \0").status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(40))) == {200}
    assert {request["body"] for request in kept(scaled_town, address)} == {
        f"{number} �" for number in range(40)
    }
