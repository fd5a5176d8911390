"""Delivers an event as one HTTP request (CloudEvents HTTP protocol binding 1.0.2, Standard Webhooks identifiers)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any, Literal
from urllib.parse import urlsplit

from delivery.cloudevents import encode_binary
from delivery.connectors import config as settings
from delivery.connectors.config import Secret, setting
from delivery.connectors.http.answer import outcome_of, outcome_of_error
from delivery.connectors.spi import Delivery, Misconfigured, Outcome, Reject, Services, Target
from delivery.http import AddressPolicy, Blocked, DeliveryError, Endpoint, InvalidHeader
from delivery.http.headers import check_header

SET_HERE = re.compile(r"content-type|traceparent|tracestate|(ce|webhook|signalbox)-.*")
"""Header names, in lower case, that say what is being delivered."""

STRUCTURED = b"content-type: application/cloudevents+json; charset=utf-8\r\n"

# W3C Trace Context §3.2.2 and §3.3.1; the values come from publishers
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{1,200})?")
_TRACESTATE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,510}[\x21-\x7e])?")

# what the URL itself says, wherever it leads: the addresses are judged by the policy of the place that delivers
_ANYWHERE = AddressPolicy([ip_network("0.0.0.0/0"), ip_network("::/0")])


class HTTPTarget(Target):
    name = "http"
    label = "HTTP"
    icon = "webhook"
    max_in_flight = 64

    class Config(settings.Config):
        url: str = setting(
            title="URL",
            description="Where each event is sent. Redirects are not followed.",
            format="uri",
            minLength=1,
            maxLength=2048,
        )
        method: Literal["POST", "PUT"] = setting(default="POST")
        mode: Literal["binary", "structured"] = setting(
            default="binary",
            title="CloudEvents mode",
            description="For whole events. Binary: attributes as ce- headers, the data as the body."
            " Structured: one JSON document that holds both.",
        )
        timeout: float = setting(
            default=10.0,
            description="Seconds for one attempt, from the name lookup to the end of the answer.",
            minimum=1,
            maximum=60,
        )
        headers: dict[str, Secret] = setting(
            default={}, description="Sent with every request, for example Authorization.", maxProperties=50
        )

        def problems(self) -> dict[str, str]:
            problems = {}
            try:
                url = _ANYWHERE.check_url(self.url)
            except Blocked as blocked:
                return {"url": blocked.sentence}
            if len({name.lower() for name in self.headers}) < len(self.headers):
                problems["headers"] = "A header is given twice; upper and lower case make no difference."
            for name, value in self.headers.items():
                try:
                    check_header(name, value)
                except InvalidHeader as error:
                    problems["headers"] = str(error)
                if SET_HERE.fullmatch(name.lower()):
                    problems["headers"] = f"The header {name} is set by Signalbox itself; remove it."
                if name.lower() == "authorization" and url.authorization is not None:
                    problems["headers"] = (
                        "The URL holds a user and there is an Authorization header too; keep one."
                    )
            return problems

    @classmethod
    def describe(cls, config: Config) -> str:
        """Method and URL, without user, password and query, which may be secrets."""
        parts = urlsplit(config.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{config.method} {parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"

    def __init__(self, config: Config, services: Services, *, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self._client = services.http
        self._clock = clock
        self._method = config.method.encode("ascii")
        self._endpoint: Endpoint | None = None
        self._blocked: Misconfigured | None = None

    async def open(self) -> None:
        """Checks the URL against the policy. A forbidden one does not raise: every `send` then says Misconfigured."""
        await self.close()
        try:
            self._endpoint = self._client.endpoint(
                self.config.url,
                headers=[(name, str(value)) for name, value in self.config.headers.items()],
                max_connections=self.max_in_flight,
            )
            self._blocked = None
        except Blocked as error:
            self._blocked = Misconfigured(error.sentence)

    async def close(self) -> None:
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None:
            await endpoint.close()

    async def send(self, delivery: Delivery) -> Outcome:
        """One request. Never raises for what a target does; see `answer` for what each status means."""
        if self._blocked is not None:
            return self._blocked
        if self._endpoint is None:
            raise RuntimeError("The target is not open.")
        now = self._clock()
        request = self._request(delivery)
        if isinstance(request, Reject):
            return request
        headers, body = request
        try:
            response = await self._endpoint.request(
                self._method,
                b"%bwebhook-id: %b\r\nwebhook-timestamp: %d\r\nsignalbox-attempt: %d\r\n"
                % (headers, delivery.delivery_id.encode("ascii"), now, delivery.attempt),
                body,
                timeout=self.config.timeout,
            )
        except DeliveryError as error:
            return outcome_of_error(error)
        return outcome_of(response, now)

    def _request(self, delivery: Delivery) -> tuple[bytes, bytes] | Reject:
        """Header lines and body of one delivery."""
        if delivery.whole and self.config.mode == "structured":
            headers, body = STRUCTURED, delivery.event
        else:
            fields, body = encode_binary(delivery.event)
            if not delivery.whole:
                # the attributes say which event this came from; what the data was no longer holds
                fields = [field for field in fields if field[0] not in ("Content-Type", "ce-dataschema")]
                fields.append(("Content-Type", delivery.content_type))
                body = delivery.body
            text = "".join([f"{name}: {value}\r\n" for name, value in fields])
            if text.count("\n") != len(fields) or not text.isascii():
                # the encoder percent-encodes all of this: a second lock on the door that splits requests
                return Reject(
                    "An attribute or the content type holds a character that cannot be sent as a header."
                )
            headers = text.encode("ascii")
        if delivery.replay:
            headers += b"signalbox-replay: true\r\n"
        if delivery.redriven:
            headers += b"signalbox-redriven: true\r\n"
        attributes = delivery.attributes
        if "traceparent" in attributes:
            headers += _trace(attributes)
        return headers, body


def _trace(attributes: Any) -> bytes:
    """Header lines that continue the publisher's trace (CloudEvents distributed tracing extension); none if malformed."""
    parent, state = attributes["traceparent"], attributes.get("tracestate")
    if not (isinstance(parent, str) and _TRACEPARENT.fullmatch(parent)):
        return b""
    lines = f"traceparent: {parent}\r\n"
    if isinstance(state, str) and _TRACESTATE.fullmatch(state):
        lines += f"tracestate: {state}\r\n"
    return lines.encode("ascii")
