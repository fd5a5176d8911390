"""Control jobs of the catalog's changes, started by the sweep: publish them, note who follows, find drift.

A change is published under its own key as id, so that a job that was killed between the log's commit and its own, or two
jobs at once, make one event: the log takes a repeat for what it is (docs/ingest.md).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

from catalog import system
from catalog.changes import SYSTEM
from catalog.following import findings, mail
from catalog.following.publishing import event_of, summarise
from catalog.models import Change
from delivery.cloudevents import Refused
from delivery.ingest.pipeline import Denied, publish
from delivery.log.writer import Unavailable
from delivery.tracking.read import now, rows

logger = logging.getLogger(__name__)

FOLLOWER = "findings"
# Microseconds between two looks for drift, between two parts of one, and that a look is one worker's.
EVERY, NEXT, HELD = 600_000_000, 2_000_000, 60_000_000
AT_ONCE = 100
STAY = 2.0  # seconds of one run


def announce(stop: Callable[[], bool] = lambda: False, stay: float = STAY) -> int:
    """Publishes what has changed and notes who is to be mailed, for about `stay` seconds; returns what it published."""
    published = publish_changes(stop, time.monotonic() + stay)
    mail.note()
    if not stop():
        find()
    return published


def publish_changes(stop: Callable[[], bool] = lambda: False, ends: float | None = None) -> int:
    """Publishes the changes that are not on the bus yet, oldest first; returns how many. What cannot be now is later."""
    waiting = Change.objects.filter(published_at=None).order_by("pk")
    if not waiting.exists() or not system.is_wanted():
        return 0
    system.ensure()
    published = 0
    for change in waiting[:AT_ONCE]:
        if stop() or (ends is not None and time.monotonic() > ends):
            break
        summarise(change)
        refusal = ""
        try:
            publish(SYSTEM, event_of(change))
        except (Unavailable, Denied, KeyError) as error:
            logger.warning("Changes of the catalog wait to be published: %s", error)
            break
        except Refused as refused:
            # It would be refused again: the others must not wait for it.
            refusal = refused.reason[:300]
            logger.error("The change %s was refused by the ingest: %s", change.key, refusal)
        Change.objects.filter(pk=change.pk).update(published_at=timezone.now(), refusal=refusal)
        published += not refusal
    return published


def find() -> int | None:
    """Looks at the next event types for drift and a drop of quality, when it is time; returns after which type it goes on."""
    place = "SELECT seq, due_at FROM log_follower WHERE name = %s"
    if not (found := rows(place, [FOLLOWER])):
        _execute(
            "INSERT INTO log_follower (name, seq, due_at) VALUES (%s, 0, 0) ON CONFLICT (name) DO NOTHING",
            [FOLLOWER],
        )
        found = rows(place, [FOLLOWER])
    seq, due_at = found[0]
    moment = now()
    if due_at > moment:
        return None
    mine = "UPDATE log_follower SET seq = %s, due_at = %s WHERE name = %s AND due_at = %s"
    if not _execute(mine, [seq, moment + HELD, FOLLOWER, due_at]):
        return None
    looked = findings.look(datetime.now(UTC).date(), seq)
    upto = looked.upto if looked.more else 0
    _execute(mine, [upto, now() + (NEXT if looked.more else EVERY), FOLLOWER, moment + HELD])
    return upto


def _execute(sql: str, values: list[str | int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)
