"""The first administrator: made once, by whoever holds the link that the terminal printed."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.forms.owners import new_team
from catalog.models import Bus, Team


class LinkUsed(Exception):
    """Somebody else made the administrator with this link, or a newer link replaced it."""


def one_time_link() -> str | None:
    """A new path (`/setup/TOKEN/`) that makes the administrator, in place of any before; None once a user exists.

    Only the token's digest is kept, in a file of the var folder that its owner alone may read.
    """
    if get_user_model()._default_manager.exists():
        _file().unlink(missing_ok=True)
        return None
    token = secrets.token_urlsafe(24)
    _write(_digest(token))
    return reverse("setup-link", args=[token])


def is_open(token: str) -> bool:
    """Whether `token` is of the newest link and no user exists."""
    try:
        kept = _file().read_text().strip()
    except OSError:
        return False
    return hmac.compare_digest(kept, _digest(token)) and not get_user_model()._default_manager.exists()


def make_administrator(token: str, name: str, password: str, team: str) -> Any:
    """The saved superuser with its team and the bus `main`; afterwards the link is dead.

    Raises LinkUsed when the link was used meanwhile: of two who press the button at once, one gets the account.
    """
    if not is_open(token):
        raise LinkUsed
    kept = _file().read_text()
    try:
        _file().unlink()
    except FileNotFoundError:
        raise LinkUsed from None
    try:
        with transaction.atomic():
            user = get_user_model()._default_manager.create_superuser(
                username=name, email="", password=password
            )
            first = Team.objects.filter(name__iexact=team).first() or new_team(team, user)
            first.members.add(user)
            Bus.objects.get_or_create(
                name="main", defaults={"description": _("The bus everything starts on.")}
            )
    except BaseException:
        _write(kept)
        raise
    return user


def _file() -> Path:
    return Path(settings.VAR) / "setup-link"


def _write(digest: str) -> None:
    # Written aside and renamed: the file is never half there, and never readable by others.
    aside = _file().with_suffix(f".{os.getpid()}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(digest)
    os.replace(aside, _file())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
