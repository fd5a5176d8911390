"""Why a request got no usable answer."""

from __future__ import annotations

from typing import Literal

from delivery.http.response import NO_TIMINGS, Timings

Kind = Literal["blocked", "dns", "connect", "proxy", "tls", "timeout", "protocol", "closed"]


class DeliveryError(Exception):
    """No usable answer. `kind` is the phase or cause, `sentence` says it to an operator.

    blocked: the policy forbids the URL or address, nothing was sent; dns, connect, proxy, tls: no connection, nothing was
    sent to the target (proxy: `status` is the proxy's answer);
    timeout: the deadline passed; protocol: what came back is not valid HTTP/1.1; closed: the peer closed before answering.
    """

    def __init__(
        self,
        kind: Kind,
        sentence: str,
        *,
        timings: Timings = NO_TIMINGS,
        address: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.kind: Kind = kind
        self.sentence = sentence
        self.timings = timings
        self.address = address
        """The IP address that was being talked to, if it came that far."""
        self.status = status
        """The status code, when one had arrived before things went wrong."""


class Blocked(DeliveryError):
    """The policy forbids this URL or the address behind it. Raised before a byte is sent."""

    def __init__(self, sentence: str, *, timings: Timings = NO_TIMINGS, address: str | None = None) -> None:
        super().__init__("blocked", sentence, timings=timings, address=address)
