"""The client: one per process and event loop, shared by all targets."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import cached_property

from delivery.http.address import AddressPolicy
from delivery.http.endpoint import Endpoint
from delivery.http.proxy import Proxy
from delivery.http.resolver import Resolver
from delivery.http.tls import TLS


class Client:
    """Never follows redirects, keeps no cookies, reads no proxy settings of the environment, decompresses nothing.

    Used within one running event loop (asyncio or uvloop). `proxy`: the URL of the proxy that endpoints without one of
    their own go through, "" for none. `proxy_looks_up`: proxies are given names, not addresses that we have checked.
    `most`: connections that may be open before those that rest are closed for new ones, None for any number.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        user_agent: str,
        *,
        resolver: Resolver | None = None,
        proxy: str = "",
        proxy_looks_up: bool = False,
        most: int | None = None,
    ) -> None:
        self.policy = policy
        self._proxy = proxy
        self._proxy_looks_up = proxy_looks_up
        self.user_agent = user_agent
        self.resolver = resolver or Resolver()
        self._most = most
        self._open = 0
        self._endpoints: dict[Endpoint, None] = {}

    def endpoint(
        self,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        max_connections: int = 16,
        tls: TLS | None = None,
        proxy: str = "",
    ) -> Endpoint:
        """An endpoint for `url` that sends `headers` with every request; close it when it is no longer used.

        Raises Blocked when the policy forbids the URL or the proxy's, InvalidHeader when a header cannot be sent,
        InvalidPEM for what `tls` holds.
        """
        endpoint = self._made(url, headers, max_connections, tls, proxy)
        self._endpoints[endpoint] = None
        return endpoint

    def _made(
        self, url: str, headers: Sequence[tuple[str, str]], max_connections: int, tls: TLS | None, proxy: str
    ) -> Endpoint:
        return Endpoint(self, url, headers, max_connections, tls, proxy)

    def way(self, proxy: str) -> Proxy | None:
        """The proxy to go through: `proxy` when it is given, else the client's own; None for none. Raises Blocked."""
        proxy = proxy or self._proxy
        return Proxy(self.policy.check_url(proxy), self._proxy_looks_up) if proxy else None

    async def close(self) -> None:
        """Closes every endpoint; requests under way fail with kind "closed"."""
        for endpoint in list(self._endpoints):
            await endpoint.close()
        await self.resolver.close()

    def opens(self) -> None:
        """A connection is about to be opened: one that rests makes room where there are many."""
        self._open += 1
        if self._most is not None and self._open > self._most:
            for endpoint in self._endpoints:
                if endpoint.drop_resting():
                    # The next one is looked for at others first.
                    del self._endpoints[endpoint]
                    self._endpoints[endpoint] = None
                    return

    def closed(self) -> None:
        """A connection is gone, or was not opened after all."""
        self._open -= 1

    def forget(self, endpoint: Endpoint) -> None:
        self._endpoints.pop(endpoint, None)

    @cached_property
    def tls_context(self) -> ssl.SSLContext:
        """Verifies certificates and names against the system's authorities (SSL_CERT_FILE honoured); TLS 1.2 or later."""
        return TLS().context()
