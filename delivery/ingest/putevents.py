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
from delivery.ingest.pipeline import Denied, Published
from delivery.ingest.problem import Problem, problem_of
from delivery.ingest.wire import Headers, Receive, Scope, Send, answer

BUS_EXTENSIONS = ("eventbusname", "aliyuneventbusname")
STRUCTURED = re.compile(rb'"?\s*application/cloudevents', re.IGNORECASE)


class Publishing(Protocol):
    """The native endpoint's steps, which this one takes too."""

    @property
    def limits(self) -> Limits: ...
    async def token(self, bus: str, headers: Headers) -> str | None: ...
    async def body(self, headers: Headers, receive: Receive) -> bytes: ...
    async def publish(self, bus: str, token: str | None, events: list[CloudEvent]) -> list[Published]: ...


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
            published = await self._ingest.publish(bus, token, events)
        except Exception as error:
            status, code, message, extra = _error(error)
            await answer(send, status, _body(code, message), headers=extra)
        else:
            entries = [{"eventId": one.id, "errorCode": None, "errorMessage": None} for one in published]
            await answer(send, 200, _body("Success", "success", failedEntryCount=0, entryList=entries))

    def _decode(self, headers: Headers, body: bytes) -> list[CloudEvent]:
        kind = next((value for name, value in headers if name == b"content-type"), b"")
        if STRUCTURED.match(kind):
            return decode(headers, body, limits=self._ingest.limits)
        return [decode_binary(headers, body, limits=self._ingest.limits, text_data=True)]


def _plain(name: bytes, value: bytes) -> bytes:
    """Its README writes Content-Type in quotes; they are not part of the media type."""
    return value.strip(b'"') if name == b"content-type" and value.startswith(b'"') else value


def _bus(events: list[CloudEvent]) -> str:
    names = {str(event.extensions.get(name)) for event in events for name in BUS_EXTENSIONS if name in event.extensions}
    if len(names) != 1:
        raise Refused(
            "Name one bus in the extension eventbusname (header ce-eventbusname)."
            if not names
            else f"All events of one call go to one bus; these name {', '.join(sorted(names))}.",
            attribute="eventbusname",
        )
    return names.pop()


def _error(error: Exception) -> tuple[int, str, str, list[tuple[bytes, bytes]]]:
    problem = problem_of(error)
    if isinstance(error, Refused):
        if error.attribute == "eventbusname":
            return 409, "EventBusEmpty", str(error), []
        codes = {413: "EventSizeExceed", 415: "EventHTTPProtocolBindingInvalid"}
        return 409, codes.get(error.status, "EventInvalid"), str(error), []
    if isinstance(error, Denied):
        codes = {404: (409, "EventBusNotExist"), 401: (401, "LoginFailed"), 403: (403, "LoginFailed")}
        status, code = codes[error.status]
        return status, code, error.reason, problem.headers
    if problem.status == 413:
        return 409, "EventSizeExceed", problem.detail, []
    return problem.status, "InternalError", problem.detail, problem.headers


def _body(code: str, message: str, **members: Any) -> bytes:
    return msgspec.json.encode({"requestId": str(uuid.uuid4()).upper(), "code": code, "message": message, **members})
