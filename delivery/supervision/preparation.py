"""What must be true of the database before the children start: its tables are there, the first run has a demo, and
targets that deliver into our own bins find them at this run's address."""

from __future__ import annotations

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from delivery.bins.following import follow_address
from delivery.supervision.address import url


def prepare_database() -> bool:
    """Applies the migrations that are missing and, unless DEMO=0, loads the demo into an empty Signalbox.

    Returns whether any migration was applied. Both are nothing but a look when done before, so that a second
    `make up` listens within seconds.
    """
    executor = MigrationExecutor(connection)
    missing = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        call_command("migrate", interactive=False, verbosity=0)
    if settings.DEMO:
        call_command("demo", if_empty=True)
    if (
        not settings.PRODUCTION
    ):  # there, bins are reached at the public address, which does not move with the port
        follow_address(url(settings.HOST, settings.PORT))
    # The parent keeps no connection: it lives long and does nothing with the database.
    connections.close_all()
    return missing
