"""The queues of the workers and what each carries. Settings, `manage.py work --queues` and docs/operations.md follow it."""

from __future__ import annotations

from typing import NamedTuple

# Longest a doorbell is worth anything, in seconds: it is rung again each second.
EXPIRES = 2


class Rung(NamedTuple):
    """How a duty is rung for: its queue, and the seconds between two rings of beat."""

    queue: str
    every: float


QUEUES = {
    "delivery": "shifts: what is routed to targets is delivered; what a broker took in is routed",
    "sources": "connectors that fetch events from other systems",
    "replay": "past events: targets that start in the past, dead letters that are redriven or go on",
    "archive": "what goes to the archive",
    "upkeep": "retention, observing, announcing changes, mail, asking targets for permission, reconciling",
}
DUTIES = {
    "shift": Rung("delivery", 1.0),
    "route": Rung("delivery", 1.0),
    "backfill": Rung("replay", 1.0),
    "letters": Rung("replay", 1.0),
    "observe": Rung("upkeep", 1.0),
    "announce": Rung("upkeep", 1.0),
    "mail": Rung("upkeep", 1.0),
    "permit": Rung("upkeep", 2.0),
    "retain": Rung("upkeep", 60.0),
    "reconcile": Rung("upkeep", 60.0),
}


def task_of(duty: str) -> str:
    """The name of the Celery task that is the doorbell of `duty`."""
    return f"delivery.{duty}"


def schedule(queues: frozenset[str] = frozenset(QUEUES)) -> dict[str, dict[str, object]]:
    """Celery's beat schedule for the duties of these queues: nobody rings for what nobody would answer."""
    return {
        name: {
            "task": task_of(name),
            "schedule": rung.every,
            "options": {"expires": max(EXPIRES, rung.every - 10)},
        }
        for name, rung in DUTIES.items()
        if rung.queue in queues
    }
