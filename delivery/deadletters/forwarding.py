"""Dead letters that go on to another target: a copy of the event, with what became of it in extension attributes.

The copy is stored on the bus "dead-letters", routed to that target alone: no rule looks at it, and the log, the journey
and the masking of personal fields know it as the event it is. Its id is made of the original's, the target and how
often it was redriven, so that a worker killed between the log's commit and its own makes no second one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db import connection, transaction

from catalog import stamps, system
from catalog.changes import LETTERS, OWN
from catalog.models import Bus, Team
from delivery.cloudevents import Refused, decode_structured
from delivery.deadletters.asking import ring
from delivery.log.entry import StaleVersions, Versions, entry_of
from delivery.log.interface import open_log
from delivery.tracking.read import marks, now, rows
from delivery.tracking.words import State
from rules.models import Target

logger = logging.getLogger(__name__)

PART = 200
RETENTION_DAYS = 30
LONGEST_REASON = 500  # characters: it travels as a header


class _Dead(NamedTuple):
    target: int
    seq: int
    redriven: int
    attempts: int
    status: int | None
    reason: str
    raw: bytes

    @property
    def is_copy(self) -> bool:
        """Whether it was forwarded to its target: then it goes no further."""
        event = msgspec.json.decode(self.raw, type=_Marks)
        return event.deadletterseq is not None and event.id.rpartition("~")[2].startswith("dead-")


class _Marks(msgspec.Struct):
    id: str
    deadletterseq: str | None = None


def forward(stop: Callable[[], bool] = lambda: False) -> int:
    """Forwards what is dead and was not forwarded yet; returns how many events it stored."""
    sent = 0
    wanted = Target.objects.exclude(dead_letters_to=None).select_related("dead_letters_to", "rule")
    for target in wanted.order_by("pk"):
        assert target.dead_letters_to is not None
        while not stop() and (dead := _untold(target.pk)):
            sent += _store(target, target.dead_letters_to, [one for one in dead if not one.is_copy])
            _tell(target.pk, [one.seq for one in dead])
    if sent:
        ring()
    return sent


def copy_of(dead: Any, target: str) -> bytes:
    """The event that tells of a dead letter: the original with another id and what became of it.

    Extension attributes `deadlettertarget` (name), `deadletterreason`, `deadletterstatus` (what the target answered, if
    it did), `deadletterattempts`, `deadletterseq` (the original's place in the log, a string: it may not fit in 32 bits).
    """
    event: dict[str, Any] = msgspec.json.decode(dead.raw, type=dict[str, msgspec.Raw])
    original = msgspec.json.decode(event["id"], type=str)
    event["id"] = f"{original}~dead-{dead.target}-{dead.redriven}"
    event["deadlettertarget"] = _plain(target)
    event["deadletterreason"] = _plain(dead.reason)[:LONGEST_REASON] or "No reason was recorded."
    event["deadletterattempts"] = dead.attempts
    event["deadletterseq"] = str(dead.seq)
    if dead.status is not None:
        event["deadletterstatus"] = dead.status
    return msgspec.json.encode(event)


def bus() -> Bus:
    """The bus of the copies, made when it is missing."""
    found = Bus.objects.filter(name=LETTERS).first()
    if found is not None:
        return found
    system.ensure()
    with transaction.atomic():
        return Bus.objects.get_or_create(
            name=LETTERS,
            defaults={
                "description": "Copies of dead letters on their way to the targets that take them. "
                "Signalbox alone publishes here.",
                "retention_days": RETENTION_DAYS,
                "team": Team.objects.get(slug=OWN),
            },
        )[0]


def _store(target: Target, to: Target, dead: Sequence[_Dead]) -> int:
    events = []
    for one in dead:
        try:
            events.append(decode_structured(copy_of(one, target.name)))
        except Refused as refused:
            # It would be refused again: the others must not wait for it. It stays a dead letter of its own target.
            logger.error(
                "The dead letter %s of target %s cannot be forwarded: %s", one.seq, target.pk, refused.reason
            )
    if not events:
        return 0
    held, place = _versions(), bus().pk
    while True:
        entries = [entry_of(event, place, now(), held, (to.pk,)) for event in events]
        try:
            accepted = open_log().append([entries], held)[0]
        except StaleVersions as stale:
            held = stale.current
        else:
            return sum(not one.duplicate for one in accepted)


def _versions() -> Versions:
    """The stamps as they are: a copy is matched against no rule, but the log asks for them."""
    found = {name: int(version) for name, version in rows("SELECT name, version FROM catalog_stamp")}
    return Versions(found.get(stamps.CATALOG, 0), found.get(stamps.RULES, 0))


def _untold(target: int) -> list[_Dead]:
    found = rows(
        "SELECT target, seq, redriven, attempts, status, coalesce(reason, ''), raw FROM runner_exception "
        "WHERE target = %s AND state = %s AND told = 0 ORDER BY seq LIMIT %s",
        [target, int(State.DEAD), PART],
    )
    return [_Dead(row[0], row[1], row[2], row[3], row[4], row[5], bytes(row[6])) for row in found]


def _tell(target: int, seqs: Sequence[int]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE runner_exception SET told = 1 WHERE target = %s AND state = %s AND seq IN ({marks(seqs)})",
            [target, int(State.DEAD), *seqs],
        )


def _plain(text: str) -> str:
    """Without control characters and what may not be in a string attribute (CloudEvents 1.0 §3.1)."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
