"""What a worker does when nobody rings: the broker is away, lost or hung its messages, or beat is dead.

Ringing and looking are two threads, because a broker that stands still can keep a ringing thread for ever. The one
that looks asks no broker: it sees which duty of this process has been idle for too long, and does it.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from celery import bootsteps
from django.db import connection

from delivery.doorbell import Doorbell
from delivery.supervision.duty import Duty, on_this_process
from delivery.supervision.queues import EXPIRES, task_of
from delivery.supervision.stopping import asked_to_stop

logger = logging.getLogger(__name__)

LOOK = 0.5  # seconds
# Seconds beyond its time that a duty may be idle before it is done without a doorbell.
LATE = 3.0
RING = 3.0  # seconds between two rings of the worker itself


class Watch(bootsteps.StartStopStep):  # type: ignore[misc]
    """A worker step: two daemon threads from before the first message until the stop, for the queues that it serves."""

    label = "Watch"
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._working: list[threading.Thread] = []

    def create(self, worker: Any) -> Any:
        """This step, which Celery starts and stops with the worker."""
        self._app = worker.app
        self._serves_itself = "prefork" not in str(worker.pool_cls)
        return self

    def start(self, parent: Any = None) -> None:
        """Starts both threads. Children of a prefork pool have their own duties, which only messages reach."""
        served = set(self._app.amqp.queues.consume_from)
        duties = [duty for duty in on_this_process.values() if duty.queue in served]
        threading.Thread(target=self._ring, args=(duties,), name="watch-ring", daemon=True).start()
        if self._serves_itself:
            threading.Thread(target=self._look, args=(duties,), name="watch", daemon=True).start()

    def stop(self, parent: Any = None) -> None:
        """Tells what is under way to end, also when it was trouble that ended the worker, and waits for it."""
        asked_to_stop.set()
        Doorbell().ring_to_stop(os.getpid())
        for thread in self._working:
            thread.join()

    def _ring(self, duties: list[Duty]) -> None:
        """At once and every few seconds: a worker is useful before beat is, and without it."""
        down = False
        while True:
            try:
                for duty in duties:
                    self._app.send_task(task_of(duty.name), expires=EXPIRES, retry=False)
                down = False
            except Exception as error:
                if not down:
                    logger.warning("The broker takes no messages; this worker goes on without: %s", error)
                down = True
            if asked_to_stop.wait(RING):
                return

    def _look(self, duties: list[Duty]) -> None:
        while not asked_to_stop.wait(LOOK):
            self._working = [thread for thread in self._working if thread.is_alive()]
            for duty in duties:
                if duty.idle() > duty.every + LATE:
                    logger.debug("Nobody rang for %s.", duty.name)
                    thread = threading.Thread(target=_perform, args=(duty,), name=duty.name, daemon=True)
                    self._working.append(thread)
                    thread.start()


def _perform(duty: Duty) -> None:
    try:
        duty.perform()
    except Exception:
        logger.exception("%s failed; it is tried again.", duty.name)
    finally:
        connection.close()  # which would end with this thread
