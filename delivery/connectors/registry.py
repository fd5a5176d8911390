"""Finds connectors: those that come with Signalbox, and those of other packages by entry point."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from delivery.connectors.spi import Target

GROUP = "signalbox.connectors"
BUILT_IN = {"http": "delivery.connectors.http.target:HTTPTarget"}

log = logging.getLogger(__name__)


class ConnectorUnavailable(Exception):
    """The connector is unknown, or its code cannot be loaded. The text says which and why."""


class Registered(msgspec.Struct, frozen=True):
    """A connector that was found; its module is imported when first used, because some take seconds."""

    name: str
    reference: str
    """"module:Class"."""
    origin: str
    """The package it came with."""

    def load(self) -> type[Target]:
        """The target class. Raises ConnectorUnavailable."""
        return _load(self.name, self.reference)


@cache
def _load(name: str, reference: str) -> type[Target]:
    module, _, attribute = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # foreign code: whatever it raises must not harm the other connectors
        raise ConnectorUnavailable(
            f"The connector {name} cannot be loaded from {reference}: {type(error).__name__}: {error}"
        ) from error
    target: type[Target] = found
    return target


@cache
def registry() -> Mapping[str, Registered]:
    """All connectors by name. Looked up once per process: reading the entry points takes 20 ms."""
    found = {name: Registered(name, reference, "signalbox") for name, reference in BUILT_IN.items()}
    for entry in importlib.metadata.entry_points(group=GROUP):
        origin = entry.dist.name if entry.dist is not None else "unknown"
        if entry.name in found:
            log.warning(
                "The connector %s of %s is ignored: %s has one of that name.",
                entry.name,
                origin,
                found[entry.name].origin,
            )
            continue
        found[entry.name] = Registered(entry.name, entry.value, origin)
    return MappingProxyType(found)


def connector(name: str) -> type[Target]:
    """The target class of that name. Raises ConnectorUnavailable."""
    entry = registry().get(name)
    if entry is None:
        raise ConnectorUnavailable(
            f"There is no connector {name!r}; installed are {', '.join(sorted(registry()))}."
        )
    return entry.load()
