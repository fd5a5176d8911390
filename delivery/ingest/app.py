"""The ASGI application of ingest: `POST /v1/buses/{bus}/events`, CloudEvents in binary, structured and batched mode.

Raw ASGI because Django's handler starts two threads per request (1–2 ms of CPU where this takes 0.1).
"""

from __future__ import annotations

import asyncio
import collections
import hashlib
import hmac
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from django.conf import settings

from catalog import token_use
from catalog.models import Token
from delivery.cloudevents import CloudEvent, Limits, Refused, decode
from delivery.ingest import notices
from delivery.ingest.pipeline import Denied, Pipeline, Published, admit, pipeline
from delivery.ingest.problem import CONTENT_TYPE, Problem, problem_of, retry_later
from delivery.ingest.putevents import PutEvents
from delivery.ingest.wire import Headers, Receive, Scope, Send, answer
from delivery.log.writer import QUEUE

PATH = re.compile(r"/v1/buses/([^/]+)/events/?")
# One token may fill half of the queue; the other half stays for everybody else.
SHARE = QUEUE // 2
BATCHED = b"application/cloudevents-batch+json"


class Ingest:
    """The application. One per process; its pipeline is shared with the console's own publishing."""

    def __init__(self) -> None:
        self._pipeline: Pipeline | None = None
        self._limits = Limits(event_bytes=settings.EVENT_BYTES_LIMIT, batch=settings.BATCH_LIMIT)
        self._waiting: collections.Counter[str] = collections.Counter()
        self._putevents = PutEvents(self)
        self._uses = ThreadPoolExecutor(1, "token-use")

    @staticmethod
    def takes(path: str) -> bool:
        """Whether `path` is one of ours."""
        return path.startswith("/v1/buses/") or path == "/putEvents"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["path"] == "/putEvents":
                return await self._putevents(scope, receive, send)
            found = PATH.fullmatch(scope["path"])
            if found is None:
                raise Problem(404, "There is nothing here. Events go to /v1/buses/{bus}/events.")
            if scope["method"] != "POST":
                raise Problem(405, "Send events with POST.", [(b"allow", b"POST")])
            headers: Headers = scope["headers"]
            bus = found[1]
            token = await self.token(bus, headers)
            body = await self.body(headers, receive)
            events = decode(headers, body, limits=self._limits)
            published = await self.publish(bus, token, events, is_batch(headers))
            told = notices.headers(one.notice for one in published)
            await answer(send, 202, _accepted(published), headers=told)
        except Problem as problem:
            await _refuse(send, problem)
        except Exception as error:
            await _refuse(send, problem_of(error))

    async def token(self, bus: str, headers: Headers) -> str | None:
        """The public id of the bearer token, checked; None without one on an open bus. Raises Denied."""
        text = _bearer(headers)
        pipe = self._ready()
        await pipe.fresh()
        try:
            return _check_token(pipe, bus, text)
        except Denied:
            await pipe.refresh()  # Perhaps made a moment ago: the database knows.
            return _check_token(pipe, bus, text)

    async def body(self, headers: Headers, receive: Receive) -> bytes:
        """The whole request body. Raises Problem 413 as soon as it is known to be too large."""
        limit = self._limits.batch_bytes if is_batch(headers) else self._limits.event_bytes
        for name, value in headers:
            if name == b"content-encoding" and value.strip().lower() != b"identity":
                raise Problem(415, "Send the body without Content-Encoding; compressed bodies are not read.")
            if name == b"content-length" and value.isdigit() and int(value) > limit:
                raise _too_large(limit)
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "The connection ended before the body did.")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise _too_large(limit)
            more = message.get("more_body", False)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def publish(
        self, bus: str, token: str | None, events: list[CloudEvent], batched: bool
    ) -> list[Published]:
        """Checks, matches and stores `events`, all or none; returns after the durable commit."""
        pipe = self._ready()
        owner, size = token or "", len(events)
        if self._waiting[owner] + size > SHARE:
            raise retry_later(
                429, f"{self._waiting[owner]} events of this token wait to be stored. Send slower.", 1
            )
        with pipe.noting():
            try:
                request = pipe.request(bus, token, events, batched)
            except Refused:
                await pipe.refresh()  # Perhaps by a schema that was replaced a moment ago.
                request = pipe.request(bus, token, events, batched)
            self._waiting[owner] += size
            try:
                accepted = await pipe.store(request)
            finally:
                self._waiting[owner] -= size
        if token is not None and token_use.due(token):
            asyncio.get_running_loop().run_in_executor(self._uses, token_use.write_apart, token)
        return request.published(accepted)

    @property
    def limits(self) -> Limits:
        """How large events and batches may be."""
        return self._limits

    def _ready(self) -> Pipeline:
        if self._pipeline is None:
            self._pipeline = pipeline()
        return self._pipeline


def is_batch(headers: Headers) -> bool:
    """Whether the content type announces a batch."""
    return any(
        name == b"content-type" and value.lstrip().lower().startswith(BATCHED) for name, value in headers
    )


async def _refuse(send: Send, problem: Problem) -> None:
    await answer(send, problem.status, problem.body(), CONTENT_TYPE, problem.headers)


def _accepted(published: list[Published]) -> bytes:
    return msgspec.json.encode({"accepted": [_entry(one) for one in published]})


def _entry(one: Published) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": one.id, "source": one.source, "seq": one.accepted.seq or None}
    if one.accepted.duplicate:
        entry["duplicate"] = "differs" if one.accepted.differs else True
    if one.notice is not None:
        entry["deprecated"] = True
    return entry


def _bearer(headers: Headers) -> str | None:
    for name, value in headers:
        if name == b"authorization":
            scheme, _, text = value.partition(b" ")
            if scheme.lower() != b"bearer" or not text.strip():
                raise Denied(401, "The Authorization header must read `Bearer <token>`.")
            return text.strip().decode("latin-1")
    return None


def _check_token(pipe: Pipeline, bus: str, text: str | None) -> str | None:
    snapshot = pipe.directory.current
    if text is None:
        admit(snapshot, bus, None)
        return None
    public_id = text.split("_", 2)[1] if text.startswith(f"{Token.PREFIX}_") and text.count("_") >= 2 else ""
    held = snapshot.tokens.get(public_id)
    if held is None or not hmac.compare_digest(held[0], hashlib.sha256(text.encode()).digest()):
        raise Denied(
            401,
            "This token is not known or was revoked. Make a new one in the console: Settings, Tokens.",
        )
    admit(snapshot, bus, public_id)
    return public_id


def _too_large(limit: int) -> Problem:
    return Problem(
        413, f"This is larger than {limit:,} bytes. Send less, or a reference to where the data is."
    )
