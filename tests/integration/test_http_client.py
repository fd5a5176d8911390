"""Our HTTP client against real sockets: every request ends by its deadline with the right kind of error."""

from __future__ import annotations

import pytest

from delivery.http import InvalidHeader
from tests.integration.hostile import Server
from tests.integration.http_scenarios import (
    AMPLE,
    SHORT,
    Run,
    client,
    in_both_loops,
    post,
    post_error,
)

pytestmark = in_both_loops


# path, status, body, truncated
ANSWERED = [
    ("/ok", 200, b"ok", False),
    ("/no-content", 204, b"", False),
    ("/chunked", 200, b"ok", False),
    ("/interim", 200, b"ok", False),
    ("/redirect", 302, b"", False),
    ("/http10", 200, b"until the end", False),
    ("/http10-length", 200, b"ok", False),
    ("/until-close", 200, b"until the end", False),
    ("/answer-then-close", 200, b"ok", False),
    ("/second-answer", 200, b"ok", False),
    ("/garbage-after-answer", 200, b"ok", False),
    ("/big-headers", 200, b"ok", False),
    ("/exactly-64k", 200, b"x" * 65536, False),
    ("/over-64k", 200, b"x" * 65536, True),
    ("/over-64k-refusal", 400, b"x" * 65536, True),
    ("/endless-body", 200, b"x" * 65536, True),
    ("/endless-error", 500, b"x" * 65536, True),
    ("/cut-body-200", 200, b"some", True),
    ("/cut-chunk-200", 200, b"so", True),
    ("/bad-chunk-200", 200, b"", True),
    ("/reset-body-200", 200, b"some", True),
    ("/reset-until-close", 200, b"some", True),
]

# path, kind, status that had arrived
UNANSWERED = [
    ("/close", "closed", None),
    ("/reset", "closed", None),
    ("/cut-headers", "protocol", None),
    ("/reset-headers", "protocol", None),
    ("/cut-body-500", "protocol", 500),
    ("/reset-body-500", "protocol", 500),
    ("/bad-chunk-500", "protocol", 500),
    ("/malformed", "protocol", None),
    ("/binary", "protocol", None),
    ("/http09", "protocol", None),
    ("/bare-lf", "protocol", None),
    ("/status-999", "protocol", None),
    ("/status-099", "protocol", None),
    ("/both-lengths", "protocol", None),
    ("/two-lengths", "protocol", None),
    ("/switch", "protocol", None),
    ("/huge-header", "protocol", None),
    ("/many-headers", "protocol", None),
    ("/endless-headers", "protocol", None),
    ("/endless-interim", "protocol", None),
]

# path, status that had arrived
TOO_SLOW = [("/silent", None), ("/slow-headers", None), ("/slow-status", None), ("/drip-body-500", 500)]


@pytest.mark.parametrize(("path", "status", "body", "truncated"), ANSWERED)
def test_an_answer_counts_however_its_body_ends(
    run: Run, path: str, status: int, body: bytes, truncated: bool
) -> None:
    async def scenario() -> None:
        async with Server() as server:
            response = await post(server.url(path))
            assert (response.status, response.body, response.truncated) == (status, body, truncated)
            assert response.address == "127.0.0.1"
            assert server.paths == [path]

    run(scenario())


@pytest.mark.parametrize(("path", "kind", "status"), UNANSWERED)
def test_what_is_no_answer_is_an_error_of_the_right_kind(
    run: Run, path: str, kind: str, status: int | None
) -> None:
    async def scenario() -> None:
        async with Server() as server:
            error = await post_error(server.url(path))
            assert (error.kind, error.status) == (kind, status)
            assert server.paths == [path]

    run(scenario())


@pytest.mark.parametrize(("path", "status"), TOO_SLOW)
def test_what_drags_on_ends_at_the_deadline(run: Run, path: str, status: int | None) -> None:
    async def scenario() -> None:
        async with Server() as server:
            error = await post_error(server.url(path), timeout=SHORT)
            assert (error.kind, error.status) == ("timeout", status)
            assert error.timings.total >= SHORT

    run(scenario())


@pytest.mark.parametrize("path", ["/drip-body-200", "/drip-chunks-200"])
def test_a_2xx_whose_body_drags_on_is_an_answer_at_the_deadline(run: Run, path: str) -> None:
    async def scenario() -> None:
        async with Server() as server:
            response = await post(server.url(path), timeout=SHORT)
            assert (response.status, response.truncated) == (200, True)
            assert set(response.body) == {ord("x")}

    run(scenario())


def test_a_compressed_body_stays_compressed(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            response = await post(server.url("/gzip-bomb"))
            assert response.headers["content-encoding"] == "gzip"
            assert response.body[:2] == b"\x1f\x8b"
            assert len(response.body) < 20_000

    run(scenario())


def test_header_fields_are_read_by_lower_case_name(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            assert (await post(server.url("/repeated-header"))).headers == {
                "x-a": "1, 2",
                "content-length": "0",
            }
            assert (await post(server.url("/interim"))).headers == {"content-length": "2"}
            assert (await post(server.url("/chunked"))).headers == {"transfer-encoding": "chunked"}
            assert len((await post(server.url("/big-headers"))).headers) == 61

    run(scenario())


def test_the_request_says_what_it_was_told_to_say(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            url = server.url("/echo").replace("127.0.0.1", "us%40er:pw@127.0.0.1")
            endpoint = made.endpoint(url, headers=[("X-Key", "a b")])
            response = await endpoint.request(b"PUT", b"a: 1\r\nb: 2\r\n", b"\x00body", timeout=AMPLE)
            assert response.body.decode("latin-1").split("\r\n") == [
                "PUT /echo HTTP/1.1",
                f"host: 127.0.0.1:{server.port}",
                "user-agent: Signalbox/test",
                "authorization: Basic dXNAZXI6cHc=",
                "X-Key: a b",
                "a: 1",
                "b: 2",
                "content-length: 5",
                "",
                "\x00body",
            ]

    run(scenario())


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        (b"POST", b"a: 1"),
        (b"POST", b"a: 1\r\n\r\nPOST /other HTTP/1.1\r\n"),
        (b"POST", b"\r\n"),
        (b"POST", b"\r\na: 1\r\n"),
        (b"PO ST", b""),
        (b"HEAD", b""),
        (b"CONNECT", b""),
    ],
)
def test_a_request_that_would_break_the_framing_is_not_sent(run: Run, method: bytes, headers: bytes) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            with pytest.raises(ValueError, match=r"\w"):
                await made.endpoint(server.url("/ok")).request(method, headers, b"", timeout=AMPLE)
            assert server.connections == 0

    run(scenario())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", "a\r\nb: c"),
        ("x", "a\nb"),
        ("x y", "a"),
        ("", "a"),
        ("x", "é"),
        ("x", " a"),
        ("Host", "a"),
        ("te", "a"),
    ],
)
def test_a_bad_header_is_refused_before_anything_is_opened(run: Run, name: str, value: str) -> None:
    async def scenario() -> None:
        async with client() as made:
            with pytest.raises(InvalidHeader):
                made.endpoint("http://127.0.0.1:8000/", headers=[(name, value)])

    run(scenario())
