"""`POST /putEvents` as Apache RocketMQ EventBridge answers it, so that its producers only change the address.

The bus comes from extension `eventbusname` (or `aliyuneventbusname`); the answer is
`{requestId, code, message, failedEntryCount, entryList: [{eventId}]}`, errors are `{requestId, code, message}` with 409.
"""

from __future__ import annotations

import re
import uuid
from typing import Any, Protocol

import msgspec

from delivery.cloudevents import CloudEvent, Limits, Refused, decode, decode_binary
from delivery.cloudevents.problems import shown
from delivery.ingest import notices
from delivery.ingest.pipeline import Denied, Published
from delivery.ingest.problem import Problem, problem_of
from delivery.ingest.wire import Headers, Receive, Scope, Send, answer

BUS_EXTENSIONS = ("eventbusname", "aliyuneventbusname")
SHOWN = 5
CODES = {400: "EventInvalid", 413: "EventSizeExceed", 415: "EventHTTPProtocolBindingInvalid"}
STRUCTURED = re.compile(rb'"?\s*application/cloudevents', re.IGNORECASE)


class Publishing(Protocol):
    """The native endpoint's steps, which this one takes too."""

    @property
    def limits(self) -> Limits: ...
    async def token(self, bus: str, headers: Headers) -> str | None: ...
    async def body(self, headers: Headers, receive: Receive) -> bytes: ...
    async def publish(
        self, bus: str, token: str | None, events: list[CloudEvent], batched: bool
    ) -> list[Published]: ...


class PutEvents:
    """The compatible endpoint, on the same pipeline as the native one."""

    def __init__(self, ingest: Publishing) -> None:
        self._ingest = ingest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] != "POST":
                raise Problem(405, "Send events with POST.", [(b"allow", b"POST")])
            headers = [(name, _plain(name, value)) for name, value in scope["headers"]]
            body = await self._ingest.body(headers, receive)
            events = self._decode(headers, body)
            bus = _bus(events)
            token = await self._ingest.token(bus, headers)
            published = await self._ingest.publish(bus, token, events, len(events) > 1)
        except Exception as error:
            status, code, message, extra = _error(error)
            await answer(send, status, _body(code, message), headers=extra)
        else:
            entries = [{"eventId": one.id, "errorCode": None, "errorMessage": None} for one in published]
            body = _body("Success", "success", failedEntryCount=0, entryList=entries)
            await answer(send, 200, body, headers=notices.headers(one.notice for one in published))

    def _decode(self, headers: Headers, body: bytes) -> list[CloudEvent]:
        kind = next((value for name, value in headers if name == b"content-type"), b"")
        if STRUCTURED.match(kind):
            return decode(headers, body, limits=self._ingest.limits)
        return [decode_binary(headers, body, limits=self._ingest.limits, text_data=True)]


def _plain(name: bytes, value: bytes) -> bytes:
    """Its README writes Content-Type in quotes; they are not part of the media type."""
    return value.strip(b'"') if name == b"content-type" and value.startswith(b'"') else value


class BusRefused(Refused):
    """The events do not name one bus; `code` is what EventBridge calls it."""

    def __init__(self, code: str, reason: str, index: int | None = None) -> None:
        super().__init__(reason, attribute="eventbusname", index=index)
        self.code = code


def _bus(events: list[CloudEvent]) -> str:
    found: set[str] = set()
    for index, event in enumerate(events):
        names = {str(event.extensions[name]) for name in BUS_EXTENSIONS if event.extensions.get(name)}
        if not names:
            raise _no_bus(index if len(events) > 1 else None)
        found |= names
    if not found:
        raise _no_bus(None)
    if len(found) > 1:
        named = ", ".join(sorted(map(shown, found))[:SHOWN])
        raise BusRefused(
            "PutEventsRequestMoreThanOneEventBus",
            f"All events of one call go to one bus; these name {named}.",
        )
    return found.pop()


def _no_bus(index: int | None) -> BusRefused:
    return BusRefused(
        "EventBusEmpty", "Name the bus in the extension eventbusname (header ce-eventbusname).", index
    )


def _error(error: Exception) -> tuple[int, str, str, list[tuple[bytes, bytes]]]:
    problem = problem_of(error)
    if isinstance(error, BusRefused):
        return 409, error.code, str(error), []
    if isinstance(error, Refused):
        return 409, CODES.get(error.status, "EventInvalid"), str(error), []
    if isinstance(error, Denied):
        gone = (409, "EventBusNotExist")
        codes = {404: gone, 410: gone, 401: (401, "LoginFailed"), 403: (403, "LoginFailed")}
        status, code = codes[error.status]
        return status, code, error.reason, problem.headers
    if problem.status in CODES:
        return 409, CODES[problem.status], problem.detail, []
    return problem.status, "InternalError", problem.detail, problem.headers


def _body(code: str, message: str, **members: Any) -> bytes:
    return msgspec.json.encode(
        {"requestId": str(uuid.uuid4()).upper(), "code": code, "message": message, **members}
    )
