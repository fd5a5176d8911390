"""What the rule editor offers: the connectors that were found, and the request bin made on the spot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from catalog.models import Team
from delivery import backfill
from delivery.connectors import registry as found
from delivery.connectors.spi import InvalidConfig, Target
from rules import registry
from rules.engine import Filter
from rules.models import Target as RuleTarget

log = logging.getLogger(__name__)


def register_connectors() -> None:
    """Registers every connector that loads; one that does not is logged and left out."""
    for name, entry in found.registry().items():
        try:
            connector = entry.load()
        except found.ConnectorUnavailable as error:
            log.warning("%s", error)
            continue
        registry.register(
            name,
            connector.label,
            connector.icon,
            connector.Config.schema(),
            _describe(connector),
            _check(connector),
        )


def _describe(connector: type[Target]) -> Callable[[dict[str, Any]], str]:
    return lambda config: connector.describe(connector.Config.load(config))


def _check(connector: type[Target]) -> Callable[[dict[str, Any]], Mapping[str, str]]:
    def check(config: dict[str, Any]) -> Mapping[str, str]:
        try:
            connector.Config.load(config)
        except InvalidConfig as error:
            return error.problems
        return {}

    return check


class StartInThePast:
    """Where a new target may start (rules.registry.Starting)."""

    def count(self, wanted: Filter, bus: int, since: registry.Since) -> registry.Counted:
        """How many past events the filter takes."""
        return backfill.count_past(wanted, bus, since)

    def start(self, target: RuleTarget, since: registry.Since) -> None:
        """Lets a target begin at `since`."""
        backfill.start(target, since)


def make_bin(request: HttpRequest, team: Team, name: str) -> tuple[str, dict[str, Any]]:
    """Makes a request bin for a new target; its connector and config."""
    from delivery.pages.bins import make_bin as make

    return make(request, team, name)


def find_bin(request: HttpRequest, connector: str, config: dict[str, Any]) -> registry.Made | None:
    """The request bin that a target with those settings delivers to."""
    from delivery.bins.found import address_in
    from delivery.models import RequestBin

    address = address_in(connector, config)
    found = RequestBin.objects.filter(address=address).first() if address else None
    if found is None:
        return None
    may_look = request.user.has_perm("delivery.view_requestbin")
    return registry.Made(found.name, reverse("bin", args=[found.pk]) if may_look else "")
