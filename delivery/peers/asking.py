"""Asks targets for permission as soon as they are saved or let run, so that a refusal is seen before the first event.

Nothing hangs on it: a shift asks before the first event is sent, too, where nobody has (delivery/connectors/http/handshake.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from catalog.models import Stamp
from catalog.stamps import RULES
from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.registry import ConnectorUnavailable
from delivery.connectors.remembered import Permission
from delivery.connectors.spi import InvalidConfig
from delivery.http import DeliveryError
from delivery.models import TargetPermission
from delivery.peers.services import opened
from rules.models import Target, TargetRevision

logger = logging.getLogger(__name__)

LONGEST = 15.0  # seconds for one target


class Asker:
    """Looks at targets again when rules or targets have changed."""

    def __init__(self) -> None:
        self._seen = -1

    def ask(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Asks those that want it and were not asked since; returns how many."""
        version = Stamp.objects.filter(name=RULES).values_list("version", flat=True).first() or 0
        if version == self._seen:
            return 0
        asked = 0
        for target in unasked():
            if stop():
                return asked
            asked += 1
            try:
                asyncio.run(ask_target(target))
            except (DeliveryError, InvalidConfig, ConnectorUnavailable, TimeoutError, ValueError) as error:
                logger.info("Target %s could not be asked for permission: %s", target.pk, error)
        self._seen = version
        return asked


def unasked() -> list[Target]:
    """Targets that ask permission, were saved since they did, or were let run since it was not given."""
    wanted = Target.objects.filter(connector="http", config__handshake=True, rule__enabled=True)
    known = {one.target: one for one in TargetPermission.objects.all()}
    found = []
    for target in wanted.order_by("pk"):
        permission = known.get(target.pk)
        if permission is None:
            found.append(target)
            continue
        saved = TargetRevision.objects.filter(target_id=target.pk, number=target.revision).first()
        resumed = (
            target.state == Target.State.RUNNING
            and permission.state != TargetPermission.State.GRANTED
            and target.state_since > permission.at
        )
        if resumed or (saved is not None and saved.at > permission.at):
            found.append(target)
    return found


async def ask_target(target: Target) -> Permission:
    """Asks a target now, whatever it said before, and keeps what came of it.

    Raises DeliveryError, InvalidConfig, ConnectorUnavailable, TimeoutError; ValueError for what is no HTTP target.
    """
    async with asyncio.timeout(LONGEST), opened(target.connector, target.config, target.pk) as made:
        if not isinstance(made, HTTPTarget):
            raise ValueError("Only HTTP targets are asked for permission.")
        return (await made.ask_permission()).permission
