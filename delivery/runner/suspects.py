"""Events that were being sent when their worker died, and the poison among them.

A worker that dies leaves everything it had in flight "unknown", and nothing tells which of it was guilty. So:

* each event in flight at a death counts it; a recorded end, whatever it is, ends the count;
* a target with suspects records no more as in flight than it sends, so that few events are blamed a second time;
* an event one death short of the limit is sent alone: while it is under way, its process sends nothing else
  (delivery/runner/alone.py). Until then all fly together, so that an ordinary kill costs little;
* at the limit it becomes a dead letter.

Hence whatever reaches the limit was the only thing that its process was sending when that died: an innocent event may
come within one death of the limit beside a guilty one, and is then delivered alone.
"""

from __future__ import annotations

from django.conf import settings

from delivery.log.schema import lanes_of
from delivery.runner import rollups
from delivery.runner.database import Database
from delivery.runner.lease import Claimed
from delivery.runner.policy import Policy
from delivery.tracking.words import State

NOTE = (
    "INSERT INTO runner_suspect (target, lane, seq, number, deaths) VALUES (%s, %s, %s, %s, 1) "
    "ON CONFLICT (target, seq) DO UPDATE "
    "SET deaths = CASE WHEN excluded.number = runner_suspect.number + 1 THEN runner_suspect.deaths + 1 ELSE 1 END, "
    "number = excluded.number RETURNING deaths"
)
GIVE_UP = (
    "INSERT INTO runner_exception (target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, "
    "due_at, status, reason, raw, request, response) "
    "SELECT %s, seq, lane, key, %s, %s, 1, 0, received_at, %s, NULL, NULL, %s, raw, NULL, NULL "
    "FROM log_event WHERE seq = %s RETURNING key"
)
KEPT = (
    "UPDATE runner_exception SET state = %s, blocks = %s, due_at = NULL, status = NULL, reason = %s, request = NULL, "
    "response = NULL WHERE target = %s AND seq = %s RETURNING key"
)


def reason(deaths: int) -> str:
    """What the dead letter says."""
    return f"The worker died {deaths} times while sending this."


class Suspects:
    """The rows of runner_suspect, as whoever holds the lease sees them. Everything inside a transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def note(self, target: int, lane: int, seq: int, number: int) -> bool:
        """Counts a death during attempt `number`; whether the event is to be given up."""
        deaths = int(self.database.rows(NOTE, [target, lane, seq, number])[0][0])
        return deaths >= settings.DEATHS

    def give_up(self, one: Claimed, seq: int, policy: Policy, now: int) -> None:
        """Makes it a dead letter of the lane group `one`, which then knows it as one that is parked."""
        target = one.target
        why, blocks = reason(settings.DEATHS), int(policy.blocks)
        rows = self.database.rows(KEPT, [State.DEAD, blocks, why, target, seq])
        if not rows:
            rows = self.database.rows(GIVE_UP, [target, State.DEAD, blocks, now, why, seq])
        if not rows:
            return  # Retention dropped the event: nothing is left to be sent.
        key = rows[0][0]
        one.parked[:] = sorted(
            [row for row in one.parked if row[1] != seq] + [(key, seq, blocks, int(State.DEAD))],
            key=lambda row: row[1],
        )
        if seq > min(one.cursors):
            one.skip.add(seq)
        self.database.run("DELETE FROM runner_suspect WHERE target = %s AND seq = %s", [target, seq])
        rollups.count(self.database, target, now, [], dead=1)

    def of(self, one: Claimed) -> dict[int, tuple[int, bool]]:
        """Those of a lane group: seq -> number of the attempt during which a worker died, whether it is sent alone.

        An event whose attempts went on since then is none any more. Rows of events that came to an end are dropped.
        """
        lanes = lanes_of(one.slot)
        rows = self.database.rows(
            "SELECT seq, lane, number, deaths FROM runner_suspect WHERE target = %s AND lane >= %s AND lane < %s",
            [one.target, lanes.start, lanes.stop],
        )
        parked = {row[1] for row in one.parked}
        found = {}
        for seq, lane, number, deaths in rows:
            if seq <= one.cursors[lane - lanes.start] and seq not in parked:
                self.database.run(
                    "DELETE FROM runner_suspect WHERE target = %s AND seq = %s", [one.target, seq]
                )
            else:
                found[seq] = (number, deaths >= settings.DEATHS - 1)
        return found
