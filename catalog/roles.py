"""Roles: what people may do by being a reader, an editor or an administrator of this Signalbox.

Administrators are Django's superusers and may do everything. What the other roles allow is said here, in code; Django's
own permissions of a person or a group come on top.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.backends import BaseBackend
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Profile, people

ADMINISTRATOR = "administrator"
READER, EDITOR = Profile.Role.READER.value, Profile.Role.EDITOR.value
# Every role that can be given, with what it is called and what it means.
ROLES: dict[str, tuple[str | Promise, str | Promise]] = {
    READER: (_("reader"), _("Sees everything but the audit log, and changes nothing.")),
    EDITOR: (
        _("editor"),
        _(
            "Sees the same; registers, changes and deletes what their teams own: event types, sources, rules, tokens."
        ),
    ),
    ADMINISTRATOR: (
        _("administrator"),
        _("May do everything: members, buses, the audit log, what other teams own."),
    ),
}
ROOMS = ("catalog", "rules", "delivery")
# What people of a room's own may not do by any of these roles.
KEPT = frozenset(
    {
        *(f"catalog.{verb}_auditrecord" for verb in ("view", "add", "change", "delete")),
        *(f"catalog.{verb}_profile" for verb in ("view", "add", "change", "delete")),
        *(f"catalog.{verb}_bus" for verb in ("add", "change", "delete")),
        *(f"delivery.{verb}_switch" for verb in ("add", "change", "delete")),
    }
)
# Beyond the rooms: the names of colleagues.
ALSO = frozenset({"auth.view_user"})


@cache
def permissions_of(role: str) -> frozenset[str]:
    """What a role allows, "app.codename"; of administrators nothing is listed, for they may do everything."""
    if role not in (READER, EDITOR):
        return frozenset()
    verbs = ("view",) if role == READER else ("view", "add", "change", "delete")
    found = {
        f"{room}.{get_permission_codename(verb, model._meta)}"
        for room in ROOMS
        for model in apps.get_app_config(room).get_models()
        for verb in verbs
    }
    return (frozenset(found) - KEPT) | ALSO


class RoleBackend(BaseBackend):
    """Gives active people the permissions of their role. Signing in is the work of Django's own backend."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The permissions of the role; none for the inactive."""
        if obj is not None or not user_obj.is_active or user_obj.is_anonymous:
            return set()
        return set(permissions_of(_kept_role(user_obj)))

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether the role allows it."""
        if obj is not None or not user_obj.is_active or user_obj.is_anonymous:
            return False
        return perm in permissions_of(_kept_role(user_obj))


def _kept_role(user: Any) -> str:
    """The role, read once for each user object."""
    if not hasattr(user, "_role"):
        user._role = Profile.objects.filter(user=user.pk).values_list("role", flat=True).first() or ""
    return str(user._role)


def role_of(user: Any) -> str:
    """administrator, editor, reader, or "" for who has no role, only permissions of their own."""
    return ADMINISTRATOR if user.is_superuser else _kept_role(user)


def with_roles() -> QuerySet[Any]:
    """All people, each with `role` and `seen_at`."""
    return people().annotate(
        role=Case(
            When(is_superuser=True, then=Value(ADMINISTRATOR)),
            default=F("profile__role"),
            output_field=CharField(),
        ),
        seen_at=F("profile__seen_at"),
    )


def label(role: str | None) -> str:
    """What people call a role."""
    return str(ROLES[role][0]) if role in ROLES else str(_("no role"))
