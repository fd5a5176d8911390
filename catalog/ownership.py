"""Who owns an event type: the members of its team, and staff."""

from __future__ import annotations

from typing import Any

from catalog.models import EventType


def owns(user: Any, event_type: EventType) -> bool:
    """Whether `user` may decide for the owner of `event_type`: a member of its team who may change types, or staff."""
    if user.is_staff or user.is_superuser:
        return True
    return user.has_perm("catalog.change_eventtype") and event_type.team.members.filter(pk=user.pk).exists()
