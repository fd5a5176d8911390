"""Three receivers that stand for other people's systems: one healthy, one that refuses some, one slow.

`/demo/receivers/<name>`, raw ASGI; they answer only where the demo is loaded, and keep nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from delivery.demo.welcome import is_loaded
from delivery.ingest.problem import CONTENT_TYPE, Problem
from delivery.ingest.wire import Receive, Scope, Send, answer

# What a receiver does with a body: a status and a JSON document.
Receiver = Callable[[bytes], Awaitable[tuple[int, dict[str, Any]]]]

PREFIX = "/demo/receivers/"
BODY_LIMIT = 1024 * 1024
REFERENCE_LENGTH = 20
SLOWNESS = (0.3, 1.5)  # seconds


async def warehouse(body: bytes) -> tuple[int, dict[str, Any]]:
    """Takes everything at once."""
    return 200, {"picked": True}


async def billing(body: bytes) -> tuple[int, dict[str, Any]]:
    """Takes an invoice whose reference fits into its 20 characters, and refuses others as invalid."""
    try:
        document = json.loads(body)
    except ValueError:
        return 422, _refusal("body", "not JSON")
    reference = document.get("invoice_ref", document.get("order_id")) if isinstance(document, dict) else None
    if not isinstance(reference, str) or not reference:
        return 422, _refusal("invoice_ref", "missing")
    if len(reference) > REFERENCE_LENGTH:
        return 422, _refusal("invoice_ref", f"longer than {REFERENCE_LENGTH} characters")
    return 200, {"invoice": f"inv-{reference}"}


async def route_planner(body: bytes) -> tuple[int, dict[str, Any]]:
    """Thinks for 0.3 to 1.5 seconds before it takes the event."""
    await asyncio.sleep(random.uniform(*SLOWNESS))
    return 200, {"replanned": True}


RECEIVERS: dict[str, Receiver] = {"warehouse": warehouse, "billing": billing, "route-planner": route_planner}


async def receivers(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application: POST or PUT to a receiver's name."""
    try:
        status, document = await _take(scope, receive)
        await answer(send, status, msgspec.json.encode(document))
    except Problem as problem:
        await answer(send, problem.status, problem.body(), CONTENT_TYPE, problem.headers)


async def _take(scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
    receiver = RECEIVERS.get(scope["path"].removeprefix(PREFIX).rstrip("/"))
    if receiver is None or not is_loaded():
        raise Problem(404, "There is no such receiver here. The demo has some: manage.py demo")
    if scope["method"] not in ("POST", "PUT"):
        raise Problem(405, "Send events with POST.", [(b"allow", b"POST, PUT")])
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "The connection ended before the body did.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_LIMIT:
            raise Problem(
                413, f"A receiver of the demo takes at most {BODY_LIMIT} bytes.", [(b"connection", b"close")]
            )
    return await receiver(bytes(body))


def _refusal(field: str, message: str) -> dict[str, Any]:
    return {"errors": [{"field": field, "message": message}]}
