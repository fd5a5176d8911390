"""`manage.py work`: one worker process with the beat schedule inside it."""

from __future__ import annotations

import warnings
from argparse import ArgumentParser
from typing import Any

from celery import current_app
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging
from django.conf import settings
from django.core.management.base import BaseCommand

from delivery.supervision import lifeline


class Command(BaseCommand):
    """Runs delivery shifts and control jobs in threads until SIGTERM; beat is a thread of the same process."""

    help = "Runs one worker process (Celery, threads) with beat inside it until it is stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=int,
            default=settings.CELERY_WORKER_CONCURRENCY,
            help="shifts and control jobs at a time (default: %(default)s)",
        )

    def handle(self, *args: Any, concurrency: int, **options: Any) -> None:
        lifeline.watch()
        # Celery warns root because of pickled messages, and names an option that this command has not. Ours are JSON.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        app = current_app._get_current_object()  # the one that config/__init__ made; no room imports config
        setup_logging.connect(_leave_logging_alone)
        worker = app.Worker(
            concurrency=concurrency,
            beat_thread=True,
            quiet=True,
            # Workers do not talk to each other: what they share is leased in the database.
            without_gossip=True,
            without_mingle=True,
        )
        worker.start()
        raise SystemExit(worker.exitcode)


def _leave_logging_alone(**details: Any) -> None:
    """Django's LOGGING holds in every process: with a receiver of this signal Celery sets no levels of its own."""
