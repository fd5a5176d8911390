"""Trying an HTTP target without an event: name, connection, TLS, access token, and what it answers to OPTIONS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from delivery.connectors.http.answer import said
from delivery.connectors.http.handshake import Gate
from delivery.connectors.http.oauth2 import NoToken, TokenSource
from delivery.connectors.spi import EXCERPT_BYTES, Checked, Step
from delivery.http import DeliveryError, Endpoint, Response, Timings

DNS, CONNECT, TLS, TOKEN, OPTIONS, PERMISSION = (
    "Name", "Connection", "TLS", "Access token", "OPTIONS", "Permission",
)  # fmt: skip
_FAILED_AT = {"dns": DNS, "blocked": "Address", "connect": CONNECT, "proxy": "Proxy", "tls": TLS}


async def check(
    endpoint: Endpoint,
    tokens: TokenSource | None,
    gate: Gate | None,
    ask: Callable[[bytes], Awaitable[Response]],
    timeout: float,
) -> Checked:
    """The steps, up to the first that fails. With `gate` the OPTIONS request asks for permission, too."""
    try:
        timings = await endpoint.connect(timeout=timeout)
    except DeliveryError as error:
        return Checked(steps=[*_opened(error.timings, endpoint), _failed(error)], address=error.address)
    steps = _opened(timings, endpoint, whole=True)
    if tokens is not None:
        began = perf_counter()
        try:
            await tokens.token(timeout)
        except NoToken as none:
            return Checked(steps=[*steps, Step(name=TOKEN, ok=False, detail=none.sentence)])
        steps.append(Step(name=TOKEN, ok=True, detail="It was given one.", took=perf_counter() - began))
    permission = None
    try:
        if gate is not None:
            exchange = await gate.ask()
            permission, response = exchange.permission, exchange.response
        else:
            response = await ask(b"")
    except DeliveryError as error:
        return Checked(steps=[*steps, _failed(error, OPTIONS)], address=error.address)
    steps.append(_answered(response))
    if permission is not None:
        steps.append(Step(name=PERMISSION, ok=permission.state == "granted", detail=permission.detail))
    return Checked(
        steps=steps,
        status=response.status,
        excerpt=response.body[:EXCERPT_BYTES],
        address=response.address,
    )


def _opened(timings: Timings, endpoint: Endpoint, whole: bool = False) -> list[Step]:
    """The phases that a connection came through."""
    url = endpoint.url
    steps = []
    if timings.dns:
        steps.append(Step(name=DNS, ok=True, detail=url.host, took=timings.dns))
    if timings.connect and (whole or timings.tls):
        steps.append(Step(name=CONNECT, ok=True, detail=f"port {url.port}", took=timings.connect))
    if whole and url.tls:
        steps.append(Step(name=TLS, ok=True, detail="Its certificate is accepted.", took=timings.tls))
    return steps


def _failed(error: DeliveryError, otherwise: str = CONNECT) -> Step:
    name = _FAILED_AT.get(error.kind, otherwise)
    return Step(name=name, ok=False, detail=error.sentence, took=error.timings.total or None)


def _answered(response: Response) -> Step:
    """Any answer will do: few receivers know OPTIONS. Only one that refuses the caller fails."""
    status = response.status
    detail = f"It answers {status}."
    refused = {
        401: "It wants other credentials.",
        403: "It forbids this request.",
        407: "A proxy wants credentials.",
    }
    if status in refused:
        detail += f" {refused[status]} {said(response)}".rstrip()
    elif status in (404, 405, 501):
        detail += " That it does not know OPTIONS says nothing of deliveries."
    elif status >= 500:
        detail += f" {said(response)}".rstrip()
    return Step(name=OPTIONS, ok=status not in refused, detail=detail, took=response.timings.total)
