"""When a token was last used: written once a minute for each token and process, so that a busy one costs nothing."""

from __future__ import annotations

import logging
import threading
import time

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from catalog.models import Token

logger = logging.getLogger(__name__)
EVERY = 60.0  # seconds
MOST = 100_000  # tokens that are remembered; beyond, all are forgotten and written once more

_written: dict[str, float] = {}
_lock = threading.Lock()


def due(public_id: str) -> bool:
    """Whether the use of this token is to be written now. Says so once a minute."""
    now = time.monotonic()
    if now - _written.get(public_id, float("-inf")) < EVERY:
        return False
    with _lock:
        if now - _written.get(public_id, float("-inf")) < EVERY:
            return False
        if len(_written) >= MOST:
            _written.clear()
        _written[public_id] = now
    return True


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
