"""`manage.py work`: a worker with the beat schedule inside it, started again when it ends."""

from __future__ import annotations

import os
import socket
import sys
import warnings
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from celery import current_app
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging
from django.conf import settings
from django.core.management.base import BaseCommand

from delivery.supervision import lifeline
from delivery.supervision.parent import Child, Parent
from delivery.supervision.queues import QUEUES, schedule


class Command(BaseCommand):
    """Runs a worker process until SIGTERM. Celery can end one whose broker dies, so a parent starts it again."""

    help = (
        "Runs a worker (Celery, threads, with beat inside it) until it is stopped, and starts it again should it die. Queues: "
        + "; ".join(f"{name}, {what}" for name, what in QUEUES.items())
        + "."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=int,
            default=settings.CELERY_WORKER_CONCURRENCY,
            help="shifts and control jobs at a time (default: %(default)s)",
        )
        parser.add_argument(
            "--queues",
            type=_queues,
            default=list(QUEUES),
            metavar="NAME,NAME",
            help=f"serve only these (default: {','.join(QUEUES)})",
        )
        parser.add_argument(
            "--unsupervised",
            action="store_true",
            help="one process and no parent: when it ends, somebody else starts it again",
        )

    def handle(
        self, *args: Any, concurrency: int, queues: list[str], unsupervised: bool, **options: Any
    ) -> None:
        lifeline.watch()
        if unsupervised:
            raise SystemExit(_work(concurrency, queues))
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "work", "--unsupervised"]
        command += [f"--concurrency={concurrency}", f"--queues={','.join(queues)}"]
        Parent([Child("worker", command)], say=self._say, stop_within=settings.DRAIN + 1.0).run(lambda: None)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _queues(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if wrong := [name for name in names if name not in QUEUES]:
        raise ArgumentTypeError(f"there is no queue {wrong[0]!r}; there are {', '.join(QUEUES)}")
    if not names:
        raise ArgumentTypeError(f"name at least one of {', '.join(QUEUES)}")
    return names


def _work(concurrency: int, queues: list[str]) -> int:
    # Celery warns root because of pickled messages, and names an option that this command has not. Ours are JSON.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    app = current_app._get_current_object()  # the one that config/__init__ made; no room imports config
    app.conf.beat_schedule = schedule(frozenset(queues))
    setup_logging.connect(_leave_logging_alone)
    worker = app.Worker(
        # By its process: RabbitMQ lets one connection only have the queue that Celery makes for a name, so that of two
        # workers of one machine the second would end.
        hostname=f"{os.getpid()}@{socket.gethostname()}",
        concurrency=concurrency,
        queues=queues,
        beat_thread=True,
        quiet=True,
        # Workers do not talk to each other: what they share is leased in the database.
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _leave_logging_alone(**details: Any) -> None:
    """Django's LOGGING holds in every process: with a receiver of this signal Celery sets no levels of its own."""
