"""The floor of ingest: the same server reads and decodes the same request, and stores nothing."""

from __future__ import annotations

from typing import Any

from delivery.cloudevents import decode
from delivery.ingest.wire import answer


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["method"] != "POST":
        return await answer(send, 404, b"")
    events = decode(scope["headers"], body)
    await answer(send, 202, b'{"accepted":[{"id":"%b","seq":1}]}' % events[0].id.encode())
