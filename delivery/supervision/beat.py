"""Celery beat in a thread of the worker.

Celery's own `worker --beat` forks a second process, and the in-memory broker cannot cross into it. So the embedded
worker rings its own doorbells. Several workers that each do this ring more often than needed, which harms nothing:
the messages are doorbells, and the work is claimed in the database.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.beat import EmbeddedService, Scheduler


class BeatThread(bootsteps.StartStopStep):  # type: ignore[misc]
    """A worker step that runs the beat schedule in a daemon thread from before the first message until the stop.

    It is part of every worker with an in-memory broker, which no other process can reach, and of a worker that is
    made with `beat_thread=True`. The schedule is kept in memory: its entries are intervals of at most a minute, so a
    restart has nothing to remember, and a kill has no schedule file to corrupt.
    """

    label = "Beat thread"
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, beat_thread: bool = False, **options: Any) -> None:
        super().__init__(worker, beat_thread=beat_thread, **options)
        self.enabled = beat_thread or worker.app.conf.broker_url.startswith("memory:")

    def create(self, worker: Any) -> Any:
        """The thread, which Celery starts and stops with the worker."""
        return EmbeddedService(worker.app, thread=True, scheduler_cls=Scheduler)
