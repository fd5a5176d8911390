"""The thin Celery layer: shifts are started and supervised here, never carried by a message."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from django.db import connection

from catalog.following.mail import send as send_mail
from delivery.announcing import announce as announce_changes
from delivery.backfill.work import work as backfill_work
from delivery.demo.generator import start_with_worker
from delivery.doorbell import Doorbell
from delivery.log.retention import retain_all
from delivery.observer.scrubbing import Scrubber
from delivery.observer.work import observe as observer_work
from delivery.peers.tokens import forget_old
from delivery.runner.shift import Shift
from delivery.supervision.stopping import asked_to_stop

logger = logging.getLogger(__name__)

# One shift per process takes new work: a second would only compete for the same processor.
_on_duty = threading.Lock()
_backfilling = threading.Lock()
_observing = threading.Lock()
_announcing = threading.Lock()
_mailing = threading.Lock()
_scrubber = Scrubber()


@shared_task(name="delivery.shift")
def shift() -> None:
    """Works one shift, then rings for the next. Does nothing when this process has one on duty."""
    if asked_to_stop.is_set() or not _on_duty.acquire(blocking=False):
        return
    relieved = threading.Event()

    def relieve() -> None:
        if not relieved.is_set():
            relieved.set()
            _on_duty.release()
            if not asked_to_stop.is_set():
                _ring_for_a_shift()

    try:
        _loop_run(Shift(asked_to_stop), relieve)
    finally:
        relieve()
        connection.close()


@shared_task(name="delivery.sweep")
def sweep() -> None:
    """Each second: a worker that has no shift gets one, and looks for control jobs, whatever became of messages before."""
    _ring_for_work()


@shared_task(name="delivery.backfill")
def backfill() -> None:
    """Works for a while on targets that start in the past. Does nothing when this process does so already."""
    if asked_to_stop.is_set() or not _backfilling.acquire(blocking=False):
        return
    try:
        backfill_work(asked_to_stop.is_set)
    finally:
        _backfilling.release()
        connection.close()


@shared_task(name="delivery.observe")
def observe() -> None:
    """Notes what new events look like, for a few seconds. Does nothing when this process does so already."""
    if asked_to_stop.is_set() or not _observing.acquire(blocking=False):
        return
    try:
        observer_work(asked_to_stop.is_set)
        _scrubber.scrub(asked_to_stop.is_set)
    finally:
        _observing.release()
        connection.close()


@shared_task(name="delivery.announce")
def announce() -> None:
    """Publishes the catalog's changes and looks for drift. Does nothing when this process does so already."""
    if asked_to_stop.is_set() or not _announcing.acquire(blocking=False):
        return
    try:
        announce_changes(asked_to_stop.is_set)
    finally:
        _announcing.release()
        connection.close()


@shared_task(name="delivery.mail")
def mail() -> None:
    """Sends digests that are due; apart from everything else, for a mail server may hang."""
    if asked_to_stop.is_set() or not _mailing.acquire(blocking=False):
        return
    try:
        send_mail(asked_to_stop.is_set)
    finally:
        _mailing.release()
        connection.close()


@shared_task(name="delivery.retain")
def retain() -> None:
    """Each minute: drops what the buses' retention no longer keeps, and access tokens that nobody uses any more."""
    retain_all()
    forget_old(time.time())


def _ring_for_a_shift() -> None:
    try:
        shift.apply_async(expires=2, retry=False)
    except (
        Exception
    ) as error:  # The broker is down: the sweep, or the worker's own watch, starts the next shift.
        logger.warning("No shift could be rung for: %s", error)


def _ring_for_work() -> None:
    _ring_for_a_shift()
    for task, what in (
        (backfill, "Backfills"),
        (observe, "The observer"),
        (announce, "Changes"),
        (mail, "Mail"),
    ):
        try:
            task.apply_async(expires=2, retry=False)
        except Exception as error:
            logger.warning("%s could not be rung for: %s", what, error)


def _loop_run(work: Shift, relieve: Any) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(work.run(relieve))
    else:
        uvloop.run(work.run(relieve))


@worker_ready.connect
def _watch(sender: Any = None, **kwargs: Any) -> None:
    """Rings at once, and every few seconds for as long as the worker lives: beat may be dead."""

    def watch() -> None:
        while not asked_to_stop.wait(0 if first.is_set() else 3):
            first.clear()
            _ring_for_work()

    first = threading.Event()
    first.set()
    threading.Thread(target=watch, name="shift-watch", daemon=True).start()


@worker_process_init.connect
def _child(**kwargs: Any) -> None:
    """A prefork child must not share its parent's connection."""
    connection.close()


@worker_shutting_down.connect
def _leave(**kwargs: Any) -> None:
    """Shifts leave at once, also those of prefork children, which get no signal of their own."""
    Doorbell().ring_to_stop(os.getpid())


start_with_worker()
