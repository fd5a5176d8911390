"""Delivers events as HTTP requests (CloudEvents HTTP protocol binding 1.0.2, Standard Webhooks identifiers)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from time import perf_counter
from urllib.parse import urlsplit

from delivery.connectors.http.answer import outcome_of, outcome_of_error
from delivery.connectors.http.checking import check
from delivery.connectors.http.handshake import ASKS, Exchange, Gate
from delivery.connectors.http.oauth2 import NoToken, TokenSource
from delivery.connectors.http.requests import Content, batch_of, content_of, id_of_batch
from delivery.connectors.http.settings import HTTPConfig
from delivery.connectors.http.signing import Signer
from delivery.connectors.http.templates import (
    CannotFill,
    HeaderTemplates,
    TargetTemplate,
    fixed_url,
    reading_of,
)
from delivery.connectors.spi import (
    Checked,
    Delivery,
    Misconfigured,
    Outcome,
    Reject,
    Retry,
    Services,
    Step,
    Target,
)
from delivery.http import Blocked, DeliveryError, Endpoint, Response

BATCH = 100
"""Events that one request holds at most; the target's policy may say fewer."""
HIDDEN = "••••"
_LINES = b"%bwebhook-id: %b\r\nwebhook-timestamp: %d\r\nsignalbox-attempt: %d\r\n"


class HTTPTarget(Target):
    name = "http"
    label = "HTTP"
    icon = "webhook"
    max_in_flight = 64
    # One answer is about all of a batch.
    ordered_batch = True
    Config = HTTPConfig

    @classmethod
    def describe(cls, config: HTTPConfig) -> str:
        """Method and URL, without user, password and query, which may be secrets."""
        parts = urlsplit(config.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{config.method} {parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"

    def __init__(
        self, config: HTTPConfig, services: Services, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.config = config
        self.max_batch = BATCH if config.mode == "batched" else 1  # type: ignore[misc] # as the contract has it
        self.addressed_by_event = config.is_templated
        self._client = services.http
        self._services = services
        self._clock = clock
        self._method = config.method.encode("ascii")
        self._endpoint: Endpoint | None = None
        self._blocked: Misconfigured | None = None
        self._signer = Signer(config.signing_keys, config.signing_until) if config.signing_keys else None
        self._template = TargetTemplate(config.url) if config.is_templated else None
        self._headers = HeaderTemplates(config.event_headers) if config.event_headers else None
        self._is_plain = config.auth in ("none", "basic", "bearer") and not (
            config.handshake or self._signer or self._template or self._headers
        )
        self._target = ""
        self._tokens: TokenSource | None = None
        self._gate: Gate | None = None

    async def open(self) -> None:
        """Checks the URL against the policy. A forbidden one does not raise: every `send` then says Misconfigured."""
        await self.close()
        self._blocked = self._gate = None
        config, services = self.config, self._services
        headers = config.fixed_headers()
        if config.handshake:
            if services.permissions is None or services.target is None:
                self._blocked = Misconfigured("Save the target first: then it can be asked for permission.")
                return
            self._gate = Gate(
                services.permissions,
                services.target,
                _place(config.url),
                config.origin,
                config.request_rate,
                self._ask,
                self._clock,
            )
            headers.append(("webhook-request-origin", self._gate.origin))
        tls, proxy = config.tls, config.proxy
        try:
            self._endpoint = self._client.endpoint(
                fixed_url(config.url),
                headers=headers,
                max_connections=self.max_in_flight,
                tls=tls,
                proxy=proxy,
            )
            if (credentials := config.credentials) is not None:
                self._tokens = TokenSource(
                    self._client, credentials, services.tokens, proxy=proxy, clock=self._clock
                )
            self._target = config.with_key(self._endpoint.url.target) if config.has_key_in_query else ""
        except Blocked as error:
            self._blocked = Misconfigured(error.sentence)

    async def close(self) -> None:
        endpoint, self._endpoint = self._endpoint, None
        tokens, self._tokens = self._tokens, None
        if tokens is not None:
            await tokens.close()
        if endpoint is not None:
            await endpoint.close()

    async def send(self, delivery: Delivery) -> Outcome:
        """One request. Never raises for what a target does; see `answer` for what each status means."""
        if self._blocked is not None:
            return self._blocked
        if self.config.mode == "batched":
            return (await self.send_batch([delivery]))[0]
        content = content_of(delivery, self.config.mode, self._signer is not None)
        if isinstance(content, Reject):
            return content
        if self._is_plain and self._endpoint is not None:
            # The way of most deliveries, without another coroutine.
            headers, body = content
            now = self._clock()
            headers = _LINES % (headers, delivery.delivery_id.encode("ascii"), now, delivery.attempt)
            try:
                response = await self._endpoint.request(
                    self._method, headers, body, timeout=self.config.timeout
                )
            except DeliveryError as error:
                return outcome_of_error(error)
            return outcome_of(response, now)
        target = self._target
        if self._template is not None or self._headers is not None:
            try:
                reading = reading_of(delivery)
                if self._template is not None:
                    target = self.config.with_key(self._template.fill(reading))
                if self._headers is not None:
                    more = self._headers.fill(reading).encode("ascii")
                    content = (content[0] + more, content[1])
            except CannotFill as error:
                return Reject(str(error))
        return await self._deliver(content, delivery.delivery_id, delivery.attempt, target)

    async def send_batch(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """One request for all of them, and its outcome for each."""
        if self._blocked is not None:
            return [self._blocked] * len(deliveries)
        attempt = max(delivery.attempt for delivery in deliveries)
        outcome = await self._deliver(batch_of(deliveries), id_of_batch(deliveries), attempt, self._target)
        return [outcome] * len(deliveries)

    async def check(self) -> Checked:
        """Tries name, connection, TLS, access token and permission, and shows what the target answers to OPTIONS."""
        if self._blocked is not None:
            return Checked(steps=[Step(name="Address", ok=False, detail=self._blocked.reason)])
        return await check(self._open_endpoint(), self._tokens, self._gate, self._ask, self.config.timeout)

    async def ask_permission(self) -> Exchange:
        """Asks the target now, whatever is known. Raises DeliveryError, ValueError where no permission is needed."""
        if self._blocked is not None:
            raise Blocked(self._blocked.reason)
        if self._gate is None:
            raise ValueError("This target is not asked for permission.")
        return await self._gate.ask()

    def _open_endpoint(self) -> Endpoint:
        if self._endpoint is None:
            raise RuntimeError("The target is not open.")
        return self._endpoint

    async def _deliver(self, content: Content, delivery_id: str, attempt: int, target: str = "") -> Outcome:
        endpoint = self._open_endpoint()
        if self._gate is not None and (refused := await self._gate.refusal()) is not None:
            return refused
        now = self._clock()
        name = delivery_id.encode("ascii")
        headers, body = content
        headers = _LINES % (headers, name, now, attempt)
        if self._signer is not None:
            headers += self._signer.headers(name, int(now), body)
        timeout = self.config.timeout
        try:
            if self._tokens is not None:
                response = await self._authorized(self._tokens, endpoint, headers, body, target)
            elif target:
                response = await endpoint.request(self._method, headers, body, timeout=timeout, target=target)
            else:
                response = await endpoint.request(self._method, headers, body, timeout=timeout)
        except DeliveryError as error:
            return outcome_of_error(error)
        except NoToken as none:
            if none.final:
                return Misconfigured(none.sentence)
            return Retry(none.sentence, timings=none.error.timings if none.error else None)
        if (
            self._gate is not None
            and response.status in ASKS
            and (refused := await self._gate.doubted()) is not None
        ):
            return refused
        return outcome_of(response, now)

    async def _authorized(
        self, tokens: TokenSource, endpoint: Endpoint, headers: bytes, body: bytes, target: str
    ) -> Response:
        """Sends with an access token; once more with a new one when one that was kept is not taken (401).

        Raises NoToken, DeliveryError. The one deadline counts for all of it.
        """
        ends = perf_counter() + self.config.timeout
        for last in (False, True):
            token, kept = await tokens.token(ends - perf_counter())
            response = await endpoint.request(
                self._method,
                b"%bauthorization: Bearer %b\r\n" % (headers, token.encode("ascii")),
                body,
                timeout=max(0.001, ends - perf_counter()),
                target=target,
            )
            if response.status == 401:
                await tokens.refused(token)
                if kept and not last:
                    continue
            break
        return _without(token, response)

    async def _ask(self, lines: bytes) -> Response:
        """OPTIONS, with the authentication of a delivery. Raises DeliveryError."""
        endpoint = self._open_endpoint()
        timeout = self.config.timeout
        token, target = "", self._target
        if self._tokens is not None:
            try:
                token, _kept = await self._tokens.token(timeout)
            except NoToken as none:
                raise none.error or DeliveryError("protocol", none.sentence) from None
            lines += b"authorization: Bearer %b\r\n" % token.encode("ascii")
        response = await endpoint.request(b"OPTIONS", lines, b"", timeout=timeout, target=target)
        return _without(token, response)


def _without(token: str, response: Response) -> Response:
    """The answer with an access token in it hidden: it is in no config, so nobody else could tell that it is a secret."""
    if token and token.encode("ascii") in response.body:
        response.body = response.body.replace(token.encode("ascii"), HIDDEN.encode())
    return response


def _place(url: str) -> str:
    """What permission is asked for: the URL without user, password, query and what only an event knows."""
    parts = urlsplit(fixed_url(url))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}"
