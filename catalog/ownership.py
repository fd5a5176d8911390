"""Who may decide about what a team owns: its members with the permission, and staff."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog.models import EventType, Team


def is_member(user: Any, team: Team | None) -> bool:
    """Whether `user` is of `team`, or staff, who are of every team."""
    if user.is_staff or user.is_superuser:
        return True
    return team is not None and team.members.filter(pk=user.pk).exists()


def refusal(user: Any, team: Team | None, permission: str) -> str:
    """Why `user` may not decide about what `team` owns, in a sentence; "" when they may.

    `permission`: what a member needs besides, "app.codename". What no team owns is decided by everybody who has it.
    """
    if user.is_staff or user.is_superuser:
        return ""
    if team is None:
        if user.has_perm(permission):
            return ""
        return _("Your role does not allow this: it needs %(permission)s.") % {"permission": permission}
    if not team.members.filter(pk=user.pk).exists():
        return _("Only members of %(team)s, who own it, and staff decide this. Ask one of them.") % {
            "team": team.name
        }
    if not user.has_perm(permission):
        return _("You are in %(team)s, but your role does not allow this: it needs %(permission)s.") % {
            "team": team.name,
            "permission": permission,
        }
    return ""


def owned_teams(user: Any, permission: str) -> QuerySet[Team]:
    """The teams for which `user` decides: all for staff, their own when they have `permission`."""
    if user.is_staff or user.is_superuser:
        return Team.objects.all()
    return Team.objects.filter(members=user.pk) if user.has_perm(permission) else Team.objects.none()


def owns(user: Any, event_type: EventType) -> bool:
    """Whether `user` may decide for the owner of `event_type`: a member of its team who may change types, or staff."""
    if user.is_staff or user.is_superuser:
        return True
    return user.has_perm("catalog.change_eventtype") and event_type.team.members.filter(pk=user.pk).exists()
