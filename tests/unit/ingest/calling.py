"""Calls the ingest application as an ASGI server does, and shows what it answered and what it stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection

from catalog.models import Bus
from delivery.ingest.app import Ingest

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PROBLEM = "application/problem+json"
COLUMNS = ("seq", "source", "type", "subject", "ce_id", "time", "schema_version", "valid", "raw")

T = TypeVar("T")


@dataclass
class Answer:
    """What the application sent: status, headers by name, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Disconnect:
    """In place of a part of the body: the client went away."""


def event(**attributes: Any) -> dict[str, Any]:
    """A valid event; None takes an attribute out."""
    found = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "shop.order.placed", **attributes}
    return {name: value for name, value in found.items() if value is not None}


class Caller:
    """A client of the application on an event loop of its own. `token` is sent unless a call has another or none."""

    def __init__(self, ingest: Ingest, token: str) -> None:
        self.ingest, self.token = ingest, token
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self._runner.run(wait())

    def call(self, *arguments: Any, **named: Any) -> Answer:
        """`calling`, to its end."""
        return self.run(self.calling(*arguments, **named))

    async def calling(
        self,
        body: bytes | Iterable[bytes | type[Disconnect]] = b"",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        path: str = "/v1/buses/orders/events",
        method: str = "POST",
        token: str | None = "",
    ) -> Answer:
        """One request; the body in one part or as the parts given, sent as the application asks for them."""
        fields = [*(headers.items() if isinstance(headers, Mapping) else headers)]
        bearer = self.token if token == "" else token
        if bearer is not None:
            fields.append(("authorization", f"Bearer {bearer}"))
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in fields],
        }
        parts = [body] if isinstance(body, bytes) else list(body)
        waiting = iter(
            [
                {"type": "http.disconnect"}
                if isinstance(part, type)
                else {"type": "http.request", "body": part, "more_body": at < len(parts)}
                for at, part in enumerate(parts, 1)
            ]
        )
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return next(waiting, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.ingest(scope, receive, send)
        start, end = sent
        names = {name.decode(): value.decode() for name, value in start["headers"]}
        assert int(names["content-length"]) == len(end["body"])
        return Answer(start["status"], names, end["body"])

    def structured(self, found: Any, **named: Any) -> Answer:
        """Posts one event in structured mode."""
        return self.call(json.dumps(found).encode(), {"content-type": STRUCTURED}, **named)

    def batch(self, found: Any, **named: Any) -> Answer:
        """Posts a batch."""
        return self.call(json.dumps(found).encode(), {"content-type": BATCH}, **named)


def stored(bus: Bus) -> list[dict[str, Any]]:
    """The events of `bus` in the log, oldest first; `raw` parsed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM log_event WHERE bus = %s ORDER BY seq", [bus.pk])
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]
    return [{**row, "raw": json.loads(bytes(row["raw"]))} for row in rows]


def assert_problem(answer: Answer, status: int, kind: str) -> dict[str, Any]:
    """A problem document (RFC 9457) with its four members, of this status and kind; returned for a closer look."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["type"] == f"urn:signalbox:problem:{kind}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith(".")
    return dict(problem)
