"""A target's row as far as delivering needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from delivery.connectors.registry import ConnectorUnavailable, connector
from delivery.runner.policy import Policy


@dataclass(frozen=True, slots=True)
class Facts:
    """`rested`: microseconds that the target did not run, in all."""

    id: int
    state: str
    revision: int
    connector: str
    config: dict[str, Any]
    transform: dict[str, Any]
    policy: Policy
    contract: dict[str, Any] = field(default_factory=dict)
    rested: int = 0


def _within(policy: Policy, name: str) -> Policy:
    """The policy with no more under way than the connector takes at once."""
    try:
        most = connector(name).max_in_flight
    except ConnectorUnavailable:
        return policy  # It does not start, and says so.
    return policy if policy.max_in_flight <= most else replace(policy, max_in_flight=most)


def read_facts(targets: Iterable[int]) -> dict[int, Facts]:
    """The rows of these targets that still exist."""
    from rules.models import Target, policy_of

    return {
        row.pk: Facts(
            row.pk,
            row.state,
            row.revision,
            row.connector,
            row.config,
            row.transform,
            _within(Policy.of(policy_of(row), row.granted_rate), row.connector),
            row.contract,
            row.rested,
        )
        for row in Target.objects.filter(pk__in=list(targets))
    }
