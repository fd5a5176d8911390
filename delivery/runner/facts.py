"""A target's row as far as delivering needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

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
            Policy.of(policy_of(row), row.granted_rate),
            row.contract,
            row.rested,
        )
        for row in Target.objects.filter(pk__in=list(targets))
    }
