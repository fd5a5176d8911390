"""Access tokens by OAuth 2.0 client credentials (RFC 6749 §4.4): fetched once for all who need one, kept until they end.

A token is kept in a store that all processes share. Of those that find none, one takes it upon itself to fetch it; the
others wait for it to appear, and fetch it themselves when that one dies.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode

import msgspec

from delivery.connectors.remembered import Held, Tokens
from delivery.http import TLS, Client, DeliveryError, Endpoint, Response

EARLY = 30.0  # seconds before its end from which on a token is not used for a new request; of a short one a quarter
UNSTATED = 300.0  # seconds that a token is taken to last that does not say
LOOK = 0.1  # seconds between looks for a token that another process fetches
CLAIM = 20.0  # seconds that a claim to fetch lasts
LONGEST = 10 * 365 * 86400


class NoToken(Exception):
    """None could be had. `final`: nobody but people can mend that."""

    def __init__(self, sentence: str, *, final: bool, error: DeliveryError | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.final = final
        self.error = error


class Credentials(msgspec.Struct, frozen=True):
    """Who asks, where, and for what. `place`: where the client's own credentials go, in a header or in the form."""

    url: str
    client_id: str
    client_secret: str
    scope: str = ""
    audience: str = ""
    place: Literal["basic", "post"] = "basic"

    @property
    def name(self) -> str:
        """Under which the token is kept: the same for all who ask for the same."""
        parts = (self.url, self.client_id, self.client_secret, self.scope, self.audience, self.place)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def request(self) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body of the request for a token (RFC 6749 §4.4.2, §2.3.1)."""
        form = {"grant_type": "client_credentials"}
        if self.scope:
            form["scope"] = self.scope
        if self.audience:
            form["audience"] = self.audience
        headers = [("accept", "application/json")]
        if self.place == "post":
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers.append(("authorization", f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"))
        return headers, urlencode(form).encode("ascii")


class TokenSource:
    """The access token of one target."""

    def __init__(
        self,
        client: Client,
        credentials: Credentials,
        tokens: Tokens,
        *,
        tls: TLS | None = None,
        proxy: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        headers, self._body = credentials.request()
        self._endpoint: Endpoint = client.endpoint(
            credentials.url, headers=headers, max_connections=2, tls=tls, proxy=proxy
        )
        self._host = self._endpoint.url.host
        self._name = credentials.name
        self._tokens = tokens
        self._clock = clock
        self._now: Held | None = None
        self._fetching: asyncio.Task[tuple[Held, bool]] | None = None

    async def token(self, timeout: float) -> tuple[str, bool]:
        """An access token, and whether it had been fetched before. Raises NoToken."""
        if (held := self._now) is not None and self._lasts(held):
            return held.token, True
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._shared(max(timeout, 1.0)))
            self._fetching.add_done_callback(self._fetched)
        try:
            # Shielded: who gives up first must not take the token from the others who wait for it.
            async with asyncio.timeout(timeout):
                found, fresh = await asyncio.shield(self._fetching)
        except TimeoutError:
            raise NoToken(
                f"No access token came from {self._host} within {timeout:.1f} s.", final=False
            ) from None
        return found.token, not fresh

    async def refused(self, token: str) -> None:
        """The target does not take this token: the next one is a new one, fetched once for all who heard so."""
        if self._now is not None and self._now.token == token:
            self._now = None
            await self._tokens.drop(self._name, token)

    async def close(self) -> None:
        """Gives up what is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
        await self._endpoint.close()

    def _lasts(self, held: Held) -> bool:
        return held.ends > self._clock()

    def _fetched(self, task: asyncio.Task[tuple[Held, bool]]) -> None:
        self._fetching = None
        if not task.cancelled() and task.exception() is None:
            self._now = task.result()[0]

    async def _shared(self, timeout: float) -> tuple[Held, bool]:
        """What another process keeps or is about to keep, else fetched here; and whether it was."""
        ends = time.monotonic() + timeout
        while True:
            held = await self._tokens.held(self._name)
            if held is not None and self._lasts(held):
                return held, False
            if await self._tokens.claim(self._name, CLAIM):
                break
            if time.monotonic() + LOOK > ends:
                raise NoToken(
                    f"Another process has not got an access token from {self._host} yet.", final=False
                )
            await asyncio.sleep(LOOK)
        found: Held | None = None
        try:
            found = await self._fetch(max(0.1, ends - time.monotonic()))
            return found, True
        finally:
            await self._tokens.keep(self._name, found)

    async def _fetch(self, timeout: float) -> Held:
        try:
            response = await self._endpoint.request(
                b"POST", b"content-type: application/x-www-form-urlencoded\r\n", self._body, timeout=timeout
            )
        except DeliveryError as error:
            sentence = f"No access token: {error.sentence}"
            raise NoToken(sentence, final=error.kind == "blocked", error=error) from None
        return self._read(response)

    def _read(self, response: Response) -> Held:
        """The token in an answer (RFC 6749 §5). What it says is not repeated but for the error's code."""
        status = response.status
        answer: Any = None
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            answer = msgspec.json.decode(response.body)
        if not isinstance(answer, dict):
            answer = {}
        if status != 200:
            code = answer.get("error")
            why = (
                f" ({code})"
                if isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum()
                else ""
            )
            final = 400 <= status < 500 and status not in (408, 425, 429)
            raise NoToken(f"No access token: {self._host} answers {status}{why[:60]}.", final=final)
        token, kind = answer.get("access_token"), answer.get("token_type", "Bearer")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
            raise NoToken(f"No access token: the answer of {self._host} holds none.", final=False)
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise NoToken(f"The access token of {self._host} is not of the type Bearer.", final=True)
        lasts = answer.get("expires_in", UNSTATED)
        if isinstance(lasts, str) and lasts.isdigit() and len(lasts) < 12:
            lasts = int(lasts)
        if not isinstance(lasts, (int, float)) or isinstance(lasts, bool) or not 0 < lasts < LONGEST:
            lasts = UNSTATED
        return Held(token, self._clock() + lasts - min(EARLY, lasts / 4))
