"""What targets remember of their peers between attempts, and where: permissions given, access tokens handed out.

Connectors are lent something that implements these protocols; delivery.peers keeps it in the database, for all processes.
"""

from __future__ import annotations

import time
from typing import Literal, Protocol

import msgspec

NOT_YET = "The target has not given permission yet."
NOT_GIVEN = "The target did not give permission to send it events."
"""How the reasons begin with which a target is stopped that did not agree: an agreement lets it run again."""

State = Literal["asked", "granted", "denied"]


class Permission(msgspec.Struct, frozen=True):
    """What a target said. `url`: what was asked about, without secrets; `rate`: events a minute, None for no limit."""

    state: State
    url: str
    origin: str
    at: float
    """Unix seconds."""
    rate: int | None = None
    status: int | None = None
    detail: str = ""


class Permissions(Protocol):
    """Where permissions are kept, by target, for all processes."""

    origin: str
    """The DNS name of this Signalbox, for targets that say none."""

    async def held(self, target: int) -> Permission | None:
        """What is known of a target."""
        ...

    async def asking(self, target: int, permission: Permission) -> str:
        """Notes that a target is being asked; the URL by which it may agree later, "" where it cannot reach us."""
        ...

    async def answered(self, target: int, permission: Permission) -> None:
        """Keeps what it said. One that is "asked" does not undo an agreement that came by the URL meanwhile."""
        ...


class Held(msgspec.Struct, frozen=True):
    """A token and the Unix second from which on it is not used any more."""

    token: str
    ends: float


class Tokens(Protocol):
    """Where tokens are kept, for all processes. `name` says for whom, and tells nothing else."""

    async def held(self, name: str) -> Held | None:
        """The token that is kept."""
        ...

    async def claim(self, name: str, seconds: float) -> bool:
        """Whether the caller is to fetch one now; nobody else is told so until it is kept or `seconds` have passed."""
        ...

    async def keep(self, name: str, held: Held | None) -> None:
        """Keeps a token, or none, and ends the claim."""
        ...

    async def drop(self, name: str, token: str) -> None:
        """Forgets that token, if it is the one that is kept."""
        ...


class TokensInMemory:
    """Tokens of one event loop: for tests, and where nothing else is lent."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._claimed: dict[str, float] = {}

    async def held(self, name: str) -> Held | None:
        return self._held.get(name)

    async def claim(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if self._claimed.get(name, 0.0) > now:
            return False
        self._claimed[name] = now + seconds
        return True

    async def keep(self, name: str, held: Held | None) -> None:
        self._claimed.pop(name, None)
        if held is not None:
            self._held[name] = held

    async def drop(self, name: str, token: str) -> None:
        if (kept := self._held.get(name)) is not None and kept.token == token:
            del self._held[name]
