"""When a token was last used: written once a minute for each token and process, so that a busy one costs nothing."""

from __future__ import annotations

import logging

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from catalog.models import Token
from catalog.seldom import Seldom

logger = logging.getLogger(__name__)
_uses = Seldom(60.0)
due = _uses.due
"""Whether the use of the token with this public id is to be written now. Says so once a minute."""


def write(public_id: str) -> None:
    """Writes that the token is in use. A database that is away loses a minute of it and nothing else."""
    try:
        Token.objects.filter(public_id=public_id).update(used_at=timezone.now())
    except (DatabaseError, InterfaceError) as error:
        logger.info("The use of token %s was not written: %s", public_id, type(error).__name__)
        if not connection.in_atomic_block:
            connection.close()


def write_apart(public_id: str) -> None:
    """The same in a thread of its own, which keeps no connection between the minutes."""
    try:
        write(public_id)
    finally:
        connection.close()


def used(public_id: str) -> None:
    """Both: for requests that read the database anyway."""
    if due(public_id):
        write(public_id)
