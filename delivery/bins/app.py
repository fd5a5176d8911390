"""`/bin/<address>/…`: takes any request, keeps it for the bin's page, and answers 200 once it is stored.

Raw ASGI beside Django, because a bin is the default target of a first subscription and may receive thousands a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from django.utils import timezone

from delivery.bins.writer import Busy, Received, Writer
from delivery.ingest.problem import CONTENT_TYPE, Problem, retry_later
from delivery.ingest.wire import Headers, Receive, Scope, Send, answer

ADDRESS = re.compile(r"/bin/([A-Za-z0-9_-]{1,32})(?:/|$)")
BODY_LIMIT = 1024 * 1024
BODY_KEPT = 64 * 1024
METHOD_LENGTH = 10
MASK = "••••••"
# What a bin's page must not show to everybody who may look at it.
SECRET = re.compile(r"authorization|cookie|token|secret|password|credential|api-?key")
SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9-]{0,20}) \S")

_writer = Writer()


class Disconnected(Exception):
    """The sender went away before its body was complete."""


async def bins(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application. 200 {"received": bytes of the body}, 404 for no such bin, 413 above 1 MiB, 503 when busy."""
    try:
        size = await _take(scope, receive)
        await answer(send, 200, msgspec.json.encode({"received": size}))
    except Disconnected:
        return
    except Problem as problem:
        await answer(send, problem.status, problem.body(), CONTENT_TYPE, problem.headers)


async def _take(scope: Scope, receive: Receive) -> int:
    """Stores the request; returns the bytes of its body. Raises Problem or Disconnected."""
    address = ADDRESS.match(scope["path"])
    if address is None:
        raise _no_such_bin()
    headers: Headers = scope["headers"]
    body = await _body(headers, receive)
    received = Received(
        address=address[1],
        at=timezone.now(),
        method=scope["method"][:METHOD_LENGTH],
        headers=shown(headers),
        # PostgreSQL's text cannot hold U+0000.
        body=body[:BODY_KEPT].decode("utf-8", "replace").replace("\0", "�"),
        size=len(body),
    )
    try:
        found = await _writer.store(received)
    except Busy as error:
        raise retry_later(
            503, "More requests arrive than can be stored. Send it again in a second.", 1
        ) from error
    if not found:
        raise _no_such_bin()
    return len(body)


def shown(headers: Iterable[tuple[bytes, bytes]]) -> list[list[str]]:
    """Name and value of each header as sent, the values of those that carry secrets masked but for their scheme."""
    return [_shown(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _shown(name: str, value: str) -> list[str]:
    lower = name.lower()
    if not SECRET.search(lower):
        return [name, value]
    scheme = SCHEME.match(value) if "authorization" in lower else None
    return [name, f"{scheme[1]} {MASK}" if scheme else MASK]


async def _body(headers: Headers, receive: Receive) -> bytes:
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value) > BODY_LIMIT:
            raise _too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _no_such_bin() -> Problem:
    return Problem(404, "There is no request bin at this address. The page of a bin shows its address.")


def _too_large() -> Problem:
    # What is left of the body is not read, so the connection cannot be used again.
    return Problem(
        413,
        f"A request bin takes bodies of at most {BODY_LIMIT} bytes. Send less.",
        [(b"connection", b"close")],
    )
