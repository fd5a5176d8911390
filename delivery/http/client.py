"""The client: one per process and event loop, shared by all targets."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import cached_property

from delivery.http.address import AddressPolicy
from delivery.http.endpoint import Endpoint
from delivery.http.resolver import Resolver


class Client:
    """Never follows redirects, keeps no cookies, reads no proxy settings, decompresses nothing.

    Used within one running event loop (asyncio or uvloop).
    """

    def __init__(self, policy: AddressPolicy, user_agent: str, *, resolver: Resolver | None = None) -> None:
        self.policy = policy
        self.user_agent = user_agent
        self.resolver = resolver or Resolver()
        self._endpoints: set[Endpoint] = set()

    def endpoint(
        self, url: str, *, headers: Sequence[tuple[str, str]] = (), max_connections: int = 16
    ) -> Endpoint:
        """An endpoint for `url` that sends `headers` with every request; close it when it is no longer used.

        Raises Blocked when the policy forbids the URL, InvalidHeader when a header cannot be sent.
        """
        endpoint = Endpoint(self, url, headers, max_connections)
        self._endpoints.add(endpoint)
        return endpoint

    async def close(self) -> None:
        """Closes every endpoint; requests under way fail with kind "closed"."""
        for endpoint in list(self._endpoints):
            await endpoint.close()
        await self.resolver.close()

    def forget(self, endpoint: Endpoint) -> None:
        self._endpoints.discard(endpoint)

    @cached_property
    def tls_context(self) -> ssl.SSLContext:
        """Verifies certificates and names against the system's authorities (SSL_CERT_FILE honoured); TLS 1.2 or later."""
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context
