"""Counters of change. Whoever saves something the data plane keeps in memory bumps a stamp in the same transaction.

The log reads the stamps under its own lock (DESIGN.md, "Log"), so what was saved before a commit counts for it.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, models, transaction

CATALOG = "catalog"
RULES = "rules"

# PostgreSQL's advisory lock of the log: writers of events and of rules take the same one, so no event is committed
# against rules that changed meanwhile. SQLite needs none: its backend takes the file lock for every write.
LOG_LOCK = 0x5369676E616C


def hold_log() -> None:
    """Keeps the log from committing until this transaction ends. Call inside `transaction.atomic()`."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOG_LOCK])


def bump(name: str) -> int:
    """Grows stamp `name` by one under the log's lock and returns its new value. Call inside a transaction."""
    hold_log()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_stamp (name, version) VALUES (%s, 1) "
            "ON CONFLICT (name) DO UPDATE SET version = catalog_stamp.version + 1 RETURNING version",
            [name],
        )
        return int(cursor.fetchone()[0])


def _changed(sender: type[models.Model], **kwargs: Any) -> None:
    if not kwargs.get("raw"):
        with transaction.atomic():
            bump(CATALOG)


def connect() -> None:
    """Bumps "catalog" whenever a bus, token, event type or schema version is saved or deleted."""
    from catalog.models import Bus, EventType, SchemaVersion, Token

    for model in (Bus, Token, EventType, SchemaVersion):
        models.signals.post_save.connect(_changed, sender=model, dispatch_uid=f"stamp-save-{model.__name__}")
        models.signals.post_delete.connect(
            _changed, sender=model, dispatch_uid=f"stamp-delete-{model.__name__}"
        )
