"""Permissions to send (CloudEvents webhook handshake), kept by target in the database."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from catalog import stamps
from delivery.connectors.remembered import NOT_GIVEN, NOT_YET, Permission
from delivery.models import TargetPermission
from delivery.peers.threads import in_thread
from rules import revisions
from rules.models import Target
from rules.personal import NotApproved


class KeptPermissions:
    """Implements `Permissions`, from any event loop."""

    def __init__(self) -> None:
        self.origin = urlsplit(settings.PUBLIC_URL).hostname or "signalbox"

    async def held(self, target: int) -> Permission | None:
        """What is known of a target."""
        return await in_thread(_held, target)

    async def asking(self, target: int, permission: Permission) -> str:
        """Notes that a target is being asked; the URL by which it may agree later, "" where it cannot reach us."""
        return await in_thread(_asking, target, permission)

    async def answered(self, target: int, permission: Permission) -> None:
        """Keeps what it said."""
        await in_thread(answered, target, permission)


def _held(target: int) -> Permission | None:
    found = TargetPermission.objects.filter(target=target).first()
    return permission_of(found) if found is not None else None


def permission_of(found: TargetPermission) -> Permission:
    """The row as connectors know it."""
    return Permission(
        found.state,  # type: ignore[arg-type] # the choices are the same words
        found.url,
        found.origin,
        found.at.timestamp(),
        found.rate,
        found.status,
        found.detail,
    )


def _asking(target: int, permission: Permission) -> str:
    """The key changes when somebody else is asked, so that an old agreement is not taken for a new one."""
    key = secrets.token_urlsafe(24)
    with transaction.atomic():
        row, _made = TargetPermission.objects.get_or_create(
            target=target, defaults={"key": key, **_values(permission)}
        )
        if (row.url, row.origin) != (permission.url, permission.origin):
            TargetPermission.objects.filter(pk=row.pk).update(key=key, **_values(permission))
        else:
            key = row.key
    # The specification has it by HTTPS only (§4.1.3).
    if not settings.PUBLIC_URL.startswith("https://"):
        return ""
    return f"{settings.PUBLIC_URL}{reverse('webhook-permission', args=[key])}"


def answered(target: int, permission: Permission) -> None:
    """Keeps what a target said and the rate it grants; one that was stopped for want of permission runs again.

    One that is "asked" does not undo an agreement that came by the URL meanwhile.
    """
    with transaction.atomic():
        stamps.hold_log()
        kept = TargetPermission.objects.filter(target=target)
        if permission.state == "asked":
            kept = kept.exclude(state=TargetPermission.State.GRANTED, at__gte=_time(permission.at))
        if not kept.update(**_values(permission)):
            return
        found = Target.objects.select_related("rule").filter(pk=target).first()
        if found is None:
            return
        granted = permission.state == "granted"
        rate = permission.rate if granted else None
        if found.granted_rate != rate:
            revisions.grant_rate(found, rate)
        if granted and found.state == "stopped" and found.state_reason.startswith((NOT_YET, NOT_GIVEN)):
            with suppress(NotApproved):
                revisions.set_state(found, Target.State.RUNNING)


def agree(key: str, allowed_origin: str, rate: int | None, detail: str) -> TargetPermission | None:
    """The target agrees by the URL it was given. None when there is no such URL; raises ValueError for another origin."""
    found = TargetPermission.objects.filter(key=key).first() if key else None
    if found is None:
        return None
    if allowed_origin not in ("", "*") and allowed_origin.lower() != found.origin.lower():
        raise ValueError(f"This is about {found.origin}, not {allowed_origin}.")
    answered(
        found.target,
        Permission("granted", found.url, found.origin, time.time(), rate, None, detail),
    )
    found.refresh_from_db()
    return found


def _values(permission: Permission) -> dict[str, object]:
    return {
        "state": permission.state,
        "url": permission.url[:2048],
        "origin": permission.origin[:253],
        "at": _time(permission.at),
        "rate": permission.rate,
        "status": permission.status,
        "detail": permission.detail[:1000].replace("\x00", "\ufffd"),
    }


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
