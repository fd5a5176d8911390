"""A schema compared with the versions of an event type, as the API and the command line tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog import comparing, registering
from catalog.models import EventType


def compared_with_type(
    event_type: EventType,
    new: str,
    examples: Sequence[str] = (),
    mode: str | None = None,
    policy: str | None = None,
    accept_cautions: bool | None = None,
) -> dict[str, Any]:
    """The verdict on `new` (text that was checked) as the next version, with what changed; saves nothing.

    `mode`, `policy` and `accept_cautions` in the place of the type's own. A first version is compatible with everything.
    """
    asked = EventType(
        pk=event_type.pk,
        compatibility=mode or event_type.compatibility,
        policy=policy or event_type.policy,
        accept_cautions=event_type.accept_cautions if accept_cautions is None else accept_cautions,
    )
    judgement = registering.judge(asked, new, examples)
    last = event_type.latest
    if judgement is None or last is None:
        told: dict[str, Any] = {"outcome": "compatible", "accepted": True, "against": [], "more": 0}
        told |= {"mode": asked.compatibility, "policy": asked.policy}
        return told | {"breaks": [], "undecided": [], "hints": [], "changes": []}
    return comparing.verdict(judgement, new) | {"changes": comparing.changes(last.schema, new)}
