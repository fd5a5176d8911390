"""What a delivery puts on the wire, recorded instead of sent: the connector and the client work as they always do,
and where a connection would be opened, the request is kept and nothing leaves this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from delivery.connectors.spi import Delivery, Outcome, Services, Target
from delivery.http import TLS, AddressPolicy, Client, Endpoint
from delivery.http.connection import Connection


class Recorded(Exception):
    """Not an error: the request that would have been sent."""

    def __init__(self, request: bytes) -> None:
        super().__init__("recorded")
        self.request = request


class _Recorder:
    """Stands where a connection would: its `send` is the end of the way."""

    ready = False

    async def send(self, request: bytes, started: float, deadline: float) -> None:
        raise Recorded(request)

    def abort(self) -> None:
        """Nothing was opened."""


class _RecordingEndpoint(Endpoint):
    async def _open(self, started: float, deadline: float, *, resent: bool = False) -> Connection:
        return _Recorder()  # type: ignore[return-value]


class RecordingClient(Client):
    """A client that opens no connection. Its policy checks addresses as the runner's does."""

    def _made(
        self, url: str, headers: Sequence[tuple[str, str]], max_connections: int, tls: TLS | None, proxy: str
    ) -> Endpoint:
        return _RecordingEndpoint(self, url, headers, max_connections, tls, proxy)


def request_of(
    connector: type[Target], config: object, delivery: Delivery, policy: AddressPolicy, user_agent: str
) -> bytes | Outcome:
    """The bytes of the one request that `connector` would send, or the outcome it comes to without sending.

    Only for connectors that send through the client they are lent. Raises InvalidConfig.
    """

    async def record() -> bytes | Outcome:
        target = connector(config, Services(http=RecordingClient(policy, user_agent)))
        try:
            await target.open()
            return await target.send(delivery)
        except Recorded as kept:
            return kept.request
        finally:
            await target.close()

    return asyncio.run(record())
