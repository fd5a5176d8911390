"""The permission to send: CloudEvents "HTTP 1.1 Web Hooks for Event Delivery" 1.0.2 §4, the sender's side.

An OPTIONS request asks; the target agrees in its answer, or later by calling the URL it was given. Until then, and when
it does not agree, no event is sent. The state is kept outside, for all processes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from delivery.connectors.http.answer import outcome_of_error, said
from delivery.connectors.remembered import NOT_GIVEN, NOT_YET, Permission, Permissions
from delivery.connectors.spi import Misconfigured, Outcome, Retry
from delivery.http import DeliveryError, Response

AGAIN = 60.0  # seconds that must have passed before a target that did not agree is asked again
ASKS = frozenset({403, 429})
"""Answers to a delivery after which permission is asked for again: it may have been taken back, or its rate changed."""


class Exchange(msgspec.Struct, frozen=True):
    """One round of asking: what came of it, and the answer itself."""

    permission: Permission
    response: Response


Send = Callable[[bytes], Awaitable[Response]]
"""Sends the OPTIONS request with these header lines. Raises DeliveryError."""


class Gate:
    """The permission of one target, while it is open."""

    def __init__(
        self,
        permissions: Permissions,
        target: int,
        url: str,
        origin: str,
        rate: int,
        send: Send,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`url`: what is asked about, without secrets; `rate`: events a minute to ask for, 0 for none."""
        self.origin = origin or permissions.origin
        self._permissions = permissions
        self._target = target
        self._url = url
        self._rate = rate
        self._send = send
        self._clock = clock
        self._granted = False
        self._lock = asyncio.Lock()

    async def refusal(self) -> Outcome | None:
        """Why nothing may be sent now; None when the target agreed. Asks when nothing is known, or it is long ago."""
        if self._granted:
            return None
        async with self._lock:
            if self._granted:
                return None
            held = await self._permissions.held(self._target)
            if held is None or not self._is_about_this(held) or self._is_to_be_asked_again(held):
                try:
                    held = (await self.ask()).permission
                except DeliveryError as error:
                    return outcome_of_error(error)
            self._granted = held.state == "granted"
            return None if self._granted else Misconfigured(_why(held), held.status)

    async def doubted(self) -> Outcome | None:
        """A delivery was answered as in ASKS: asks again, and why nothing may be sent any more; None when it agrees."""
        async with self._lock:
            held = await self._permissions.held(self._target)
            if held is not None and self._is_about_this(held) and self._clock() - held.at < AGAIN:
                return None
            try:
                held = (await self.ask()).permission
            except DeliveryError as error:
                return Retry(
                    f"Permission could not be asked for again: {error.sentence}", timings=error.timings
                )
            self._granted = held.state == "granted"
            return None if self._granted else Misconfigured(_why(held), held.status)

    async def ask(self) -> Exchange:
        """Asks now, and keeps what came of it. Raises DeliveryError."""
        asked = Permission("asked", self._url, self.origin, self._clock())
        callback = await self._permissions.asking(self._target, asked)
        lines = ""
        if self._rate:
            lines += f"webhook-request-rate: {self._rate}\r\n"
        if callback:
            lines += f"webhook-request-callback: {callback}\r\n"
        try:
            response = await self._send(lines.encode("ascii"))
        except DeliveryError as error:
            silent = msgspec.structs.replace(asked, detail=f"It did not answer. {error.sentence}")
            await self._permissions.answered(self._target, silent)
            raise
        answer = read(response, asked, bool(callback))
        await self._permissions.answered(self._target, answer)
        return Exchange(answer, response)

    def _is_about_this(self, held: Permission) -> bool:
        return (held.url, held.origin) == (self._url, self.origin)

    def _is_to_be_asked_again(self, held: Permission) -> bool:
        return held.state != "granted" and self._clock() - held.at >= AGAIN


def read(response: Response, asked: Permission, by_callback: bool) -> Permission:
    """What the answer to OPTIONS says (§4.2). Status codes say nothing: only the headers are consent."""
    allowed = response.headers.get("webhook-allowed-origin", "").strip()
    status = response.status
    agrees = allowed == "*" or allowed.lower() == asked.origin.lower() != ""
    if 200 <= status < 300 and agrees:
        rate, detail = rate_of(response.headers.get("webhook-allowed-rate"))
        return msgspec.structs.replace(asked, state="granted", rate=rate, status=status, detail=detail)
    if allowed and not agrees:
        detail = f"It allows {_short(allowed)}, not {asked.origin}."
    elif allowed:
        detail = f"It answers {status}, which is no agreement."
    elif by_callback and 200 <= status < 300:
        detail = f"It answers {status} and may agree later, by the address that it was given."
        return msgspec.structs.replace(asked, status=status, detail=detail)
    else:
        detail = f"It answers {status} without the header WebHook-Allowed-Origin."
    return msgspec.structs.replace(
        asked, state="denied", status=status, detail=f"{detail} {said(response)}".strip()
    )


def rate_of(text: str | None) -> tuple[int | None, str]:
    """Events a minute by a WebHook-Allowed-Rate (§4.2.2), None for no limit, and a sentence about it."""
    text = (text or "").strip()
    if text in ("", "*"):
        return None, "It agrees, at any rate." if text else "It agrees, and names no rate."
    if text.isascii() and text.isdigit() and 0 < int(text[:10]) <= 10_000_000 and len(text) <= 10:
        return int(text), f"It agrees to {int(text)} events a minute."
    return None, f"It agrees; its rate {_short(text)} is not understood."


def _why(held: Permission) -> str:
    if held.state == "asked":
        return f"{NOT_YET} {held.detail}".strip()
    return f"{NOT_GIVEN} {held.detail}".strip()


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
