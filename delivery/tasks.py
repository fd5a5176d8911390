"""The thin Celery layer: duties are started by doorbells and supervised here, never carried by a message.

A message says no more than the name of a duty. So one that is lost, doubled, late, foreign or of another version of
Signalbox does no harm: arguments are ignored, and whoever does the duty already is not disturbed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import current_app, shared_task
from celery.signals import celeryd_after_setup, worker_process_init, worker_shutting_down
from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created

from catalog.audit.keeping import drop_old as drop_old_records
from catalog.following.mail import send as send_mail
from delivery.announcing import announce as announce_changes
from delivery.backfill.work import work as backfill_work
from delivery.deadletters.forwarding import forward as forward_letters
from delivery.deadletters.work import work as letters_work
from delivery.demo.generator import start_with_worker
from delivery.doorbell import Doorbell
from delivery.log.retention import retain_all
from delivery.observer.scrubbing import Scrubber
from delivery.observer.work import observe as observer_work
from delivery.peers.asking import Asker
from delivery.peers.tokens import forget_old
from delivery.reconcile.work import work as reconcile_work
from delivery.router.work import route
from delivery.runner.expiring import expire_all
from delivery.runner.shift import Shift
from delivery.supervision.duty import Duty
from delivery.supervision.queues import EXPIRES, task_of
from delivery.supervision.settling import give_back, settle
from delivery.supervision.stopping import asked_to_stop
from delivery.tracking.folding import fold_counts
from delivery.tracking.read import now
from delivery.tracking.upkeep import merge_packs

logger = logging.getLogger(__name__)

MERGING, FOLDING = 5.0, 5.0  # seconds a minute
PAGES = 2048  # KiB of SQLite's file that a thread's connection keeps
_scrubber = Scrubber()
_asker = Asker()
Relieve = Callable[[], None]


def _work_a_shift(relieve: Relieve) -> None:
    """One shift; rings for the next when it takes no new work."""

    def relieved() -> None:
        relieve()
        if not asked_to_stop.is_set():
            # In a thread: this is the event loop of a shift that still sends, and a broker that hangs would stop it.
            threading.Thread(target=_ring_for, args=("shift",), name="ring", daemon=True).start()

    work = Shift(asked_to_stop, grace=settings.DRAIN)
    try:
        import uvloop
    except ImportError:
        asyncio.run(work.run(relieved))
    else:
        uvloop.run(work.run(relieved))
    give_back()


def _observe(relieve: Relieve) -> None:
    """What new events look like, for a few seconds."""
    observer_work(asked_to_stop.is_set)
    _scrubber.scrub(asked_to_stop.is_set)


def _letters(relieve: Relieve) -> None:
    """What was asked for dead letters, and those that go on to another target."""
    letters_work(asked_to_stop.is_set)
    forward_letters(asked_to_stop.is_set)


def _permit(relieve: Relieve) -> None:
    """Those that were saved, or let run, since they were asked."""
    _asker.ask(asked_to_stop.is_set)


def _retain(relieve: Relieve) -> None:
    """What nothing keeps any more: in the log, access tokens, audit records; large packs of small ones; counts per hour and day."""
    expire_all(asked_to_stop.is_set)
    retain_all()
    forget_old(time.time())
    drop_old_records()
    merge_packs(time.monotonic() + MERGING)
    fold_counts(time.monotonic() + FOLDING, now())


def _route(relieve: Relieve) -> None:
    """What a broker took in, for a minute; rings for the next, for a second's pause would be seen."""
    if settings.LOG_BROKER is not None:
        route(asked_to_stop.is_set)
        relieve()
        if not asked_to_stop.is_set():
            _ring_for("route")


_shift = Duty("shift", _work_a_shift)
_routing = Duty("route", _route)
_backfill = Duty("backfill", lambda relieve: backfill_work(asked_to_stop.is_set))
_lettering = Duty("letters", _letters)
_observing = Duty("observe", _observe)
_announcing = Duty("announce", lambda relieve: announce_changes(asked_to_stop.is_set))
# Apart from everything else, for a mail server may hang.
_mailing = Duty("mail", lambda relieve: send_mail(asked_to_stop.is_set))
_permitting = Duty("permit", _permit)
_retaining = Duty("retain", _retain)
_reconciling = Duty("reconcile", lambda relieve: reconcile_work(asked_to_stop.is_set))


@shared_task(name=task_of("shift"))
def shift(*args: Any, **kwargs: Any) -> None:
    """Delivers for half a minute, then rings for the next shift."""
    _shift.perform()


@shared_task(name=task_of("route"))
def routing(*args: Any, **kwargs: Any) -> None:
    """Brings what a broker took in into the log."""
    _routing.perform()


@shared_task(name=task_of("backfill"))
def backfill(*args: Any, **kwargs: Any) -> None:
    """Works for a while on targets that start in the past."""
    _backfill.perform()


@shared_task(name=task_of("letters"))
def letters(*args: Any, **kwargs: Any) -> None:
    """Works on jobs of dead letters and forwards new ones."""
    _lettering.perform()


@shared_task(name=task_of("observe"))
def observe(*args: Any, **kwargs: Any) -> None:
    """Notes what new events look like."""
    _observing.perform()


@shared_task(name=task_of("announce"))
def announce(*args: Any, **kwargs: Any) -> None:
    """Publishes the catalog's changes and looks for drift."""
    _announcing.perform()


@shared_task(name=task_of("mail"))
def mail(*args: Any, **kwargs: Any) -> None:
    """Sends digests that are due."""
    _mailing.perform()


@shared_task(name=task_of("permit"))
def permit(*args: Any, **kwargs: Any) -> None:
    """Asks targets for permission that were saved."""
    _permitting.perform()


@shared_task(name=task_of("retain"))
def retain(*args: Any, **kwargs: Any) -> None:
    """Drops what nothing keeps any more."""
    _retaining.perform()


@shared_task(name=task_of("reconcile"))
def reconcile(*args: Any, **kwargs: Any) -> None:
    """Each hour: finds and mends what contradicts the invariants."""
    _reconciling.perform()


def _ring_for(duty: str) -> None:
    """From whoever leaves. If Celery's broker is away, the worker's watch starts the next one."""
    try:
        current_app.send_task(task_of(duty), expires=EXPIRES, retry=False)
    except Exception as error:
        logger.info("No %s could be rung for: %s", duty, error)


@celeryd_after_setup.connect
def _settle(**kwargs: Any) -> None:
    """Before the worker's threads begin."""
    connection_created.connect(_keep_few_pages)
    settle()


def _keep_few_pages(connection: Any, **kwargs: Any) -> None:
    """What others commit makes a connection forget its pages of SQLite's file, so many of them help no thread of a worker."""
    if connection.vendor == "sqlite":
        connection.connection.execute(f"PRAGMA cache_size = -{PAGES}")


@worker_process_init.connect
def _child(**kwargs: Any) -> None:
    """A prefork child must not share its parent's connection."""
    connection.close()


@worker_shutting_down.connect
def _leave(**kwargs: Any) -> None:
    """Shifts leave at once, also those of prefork children, which get no signal of their own."""
    Doorbell().ring_to_stop(os.getpid())


start_with_worker()
