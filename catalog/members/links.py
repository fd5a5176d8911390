"""Links that let a person set a password: for whom was invited, and for whom forgot it. One for each person, used once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth.password_validation import password_changed
from django.db import transaction
from django.utils import timezone

from catalog.audit.acting import current
from catalog.models import Profile

# How long they work.
INVITATION = timedelta(days=7)
RESET = timedelta(hours=24)


class Spent(Exception):
    """The link was used, replaced or is too old."""


def make(user: Any, by: Any) -> str:
    """The text of a new link for `user`, in place of any before; only its digest is kept.

    It works for a week for whoever has no password yet, for a day for everybody else.
    """
    text = secrets.token_urlsafe(24)
    profile = Profile.of(user)
    profile.link_digest = _digest(text)
    profile.link_ends_at = timezone.now() + (RESET if user.has_usable_password() else INVITATION)
    profile.invited_by = by.get_username()
    profile.save()
    return text


def person_of(text: str) -> Any | None:
    """Who the link is for; None when it works no more."""
    found = Profile.objects.select_related("user").filter(link_digest=_digest(text)).first()
    if found is None or not found.user.is_active:
        return None
    return found.user if found.link_ends_at is not None and found.link_ends_at > timezone.now() else None


def spend(text: str, password: str) -> Any:
    """Sets the password of the person whose link it is; the link is used up. Raises Spent."""
    with transaction.atomic():
        found = (
            Profile.objects.select_for_update()
            .select_related("user")
            .filter(link_digest=_digest(text))
            .first()
        )
        if found is None or person_of(text) is None:
            raise Spent
        if (deed := current()) is not None:
            deed.person = found.user.get_username()
        found.link_digest, found.link_ends_at = "", None
        found.save(update_fields=["link_digest", "link_ends_at"])
        found.user.set_password(password)
        found.user.save(update_fields=["password"])
    password_changed(password, found.user)
    return found.user


def withdraw(user: Any) -> None:
    """Lets the link of `user`, if there is one, open nothing any more."""
    found = Profile.of(user)
    if found.link_digest:
        found.link_digest, found.link_ends_at = "", None
        found.save(update_fields=["link_digest", "link_ends_at"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
