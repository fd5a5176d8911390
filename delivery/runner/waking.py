"""How a shift is woken from outside its process."""

from __future__ import annotations

from typing import Any


def is_child() -> bool:
    """Whether this is a child of a prefork pool, whose parent rings for it at shutdown."""
    from billiard import current_process

    return bool(current_process().name != "MainProcess")


def database_bell() -> Any:
    """A connection that LISTENs on PostgreSQL; None on SQLite, whose writers are on this machine and ring the bell."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    import psycopg

    from delivery.log.postgresql import DOORBELL

    params = connection.get_connection_params()
    for unknown in ("cursor_factory", "context"):
        params.pop(unknown, None)
    listener = psycopg.connect(**params, autocommit=True)
    listener.execute(f"LISTEN {DOORBELL}")
    return listener
