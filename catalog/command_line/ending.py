"""How `manage.py catalog` ends."""

from __future__ import annotations

GOOD, REFUSED, UNDECIDED, NOT_ASKED = 0, 1, 2, 3


class NotAsked(Exception):
    """The question could not be asked: a file, an address or a name is at fault. The message says which."""
