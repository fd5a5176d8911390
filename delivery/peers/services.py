"""What targets are lent, made in one place: the client with the operator's settings, permissions, access tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

from django.conf import settings

from delivery.connectors.registry import connector
from delivery.connectors.spi import Services, Target
from delivery.http import AddressPolicy, Client
from delivery.peers.permissions import KeptPermissions
from delivery.peers.tokens import KeptTokens

USER_AGENT = "Signalbox/0.1"


def address_policy() -> AddressPolicy:
    """Where deliveries may go, by the settings."""
    return AddressPolicy([ip_network(network) for network in settings.ALLOWED_TARGET_NETWORKS])


def services(target: int | None = None, most: int | None = None) -> Services:
    """For one event loop; its client is to be closed. `target`: whose they are, None for one that is not saved.

    `most`: connections that the client may have open; then it closes one that rests before it opens another.
    """
    client = Client(
        address_policy(),
        USER_AGENT,
        proxy=settings.TARGET_PROXY,
        proxy_looks_up=settings.TARGET_PROXY_LOOKS_UP,
        most=most,
    )
    return Services(client, target, KeptPermissions(), KeptTokens())


@asynccontextmanager
async def opened(name: str, config: dict[str, Any], saved: int | None) -> AsyncIterator[Target]:
    """A target to try something with, by hand. `saved`: its id, None for one that is not saved.

    Raises InvalidConfig, ConnectorUnavailable, and what its `open` raises.
    """
    lent = services(saved)
    try:
        made = connector(name)
        target = made(made.Config.load(config), lent)
        try:
            await target.open()
            yield target
        finally:
            await target.close()
    finally:
        await lent.http.close()
