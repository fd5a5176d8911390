"""Access tokens of OAuth 2.0, kept in the database so that all processes share one."""

from __future__ import annotations

import time

from delivery.connectors.remembered import Held
from delivery.models import AccessToken
from delivery.peers.threads import in_thread


class KeptTokens:
    """Implements `Tokens`, from any event loop."""

    async def held(self, name: str) -> Held | None:
        """The token that is kept."""
        return await in_thread(_held, name)

    async def claim(self, name: str, seconds: float) -> bool:
        """Whether the caller is to fetch one now."""
        return await in_thread(_claim, name, seconds)

    async def keep(self, name: str, held: Held | None) -> None:
        """Keeps a token, or none, and ends the claim."""
        await in_thread(_keep, name, held)

    async def drop(self, name: str, token: str) -> None:
        """Forgets that token, if it is the one that is kept."""
        await in_thread(_drop, name, token)


def _held(name: str) -> Held | None:
    found = AccessToken.objects.filter(name=name).exclude(token="").first()
    return Held(found.token, found.ends) if found is not None else None


def _claim(name: str, seconds: float) -> bool:
    now = time.time()
    AccessToken.objects.get_or_create(name=name)
    claimed = AccessToken.objects.filter(name=name, claimed_until__lte=now)
    return claimed.update(claimed_until=now + seconds) == 1


def _keep(name: str, held: Held | None) -> None:
    values = {"token": held.token, "ends": held.ends} if held is not None else {}
    AccessToken.objects.filter(name=name).update(claimed_until=0, **values)


def _drop(name: str, token: str) -> None:
    AccessToken.objects.filter(name=name, token=token).update(token="", ends=0)


def forget_old(now: float) -> int:
    """Deletes tokens that have ended a day ago: their targets are gone, or have other credentials."""
    deleted, _by_model = AccessToken.objects.filter(
        ends__lt=now - 86400, claimed_until__lt=now - 86400
    ).delete()
    return deleted
