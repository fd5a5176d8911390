"""What is in flight by the record: opened before the first byte is sent, closed when all of it is accounted for.

A flight that a dead or frozen shift left behind is looked at by whoever leases its lane groups next: an attempt without
a record becomes "unknown", and its event a suspect: perhaps it was what ended the shift (delivery/runner/suspects.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from delivery.log.schema import LANES_PER_SLOT, lanes_of
from delivery.runner import attempts, rollups
from delivery.runner.database import Database
from delivery.runner.items import Item
from delivery.runner.lease import LEASE, Claimed
from delivery.runner.policy import Policy
from delivery.runner.suspects import Suspects
from delivery.tracking.words import Outcome, State

# Ends the owner of a flight whose shift lives, or was asked to leave, and let go of it: nothing in it ended a process.
LOST = " (lost)"


class Flights:
    """The flights of one shift, whose id is `owner`, and those of others as far as it has to do with them."""

    def __init__(self, database: Database, owner: str, suspects: Suspects) -> None:
        self.database = database
        self.owner = owner
        self.suspects = suspects

    def open(self, target: int, items: Sequence[Item], now: int) -> int:
        """Records `items` as about to be sent and returns the flight's id. Inside a transaction."""
        seqs = msgspec.json.encode([(item.lane, item.seq, item.attempts + 1) for item in items]).decode()
        row = self.database.rows(
            "INSERT INTO runner_flight (target, owner, at, seqs) VALUES (%s, %s, %s, %s) RETURNING id",
            [target, self.owner, now, seqs],
        )
        return int(row[0][0])

    def close(self, ids: Sequence[int]) -> None:
        """Everything in these flights is on record. Inside a transaction."""
        self.database.many("DELETE FROM runner_flight WHERE id = %s", [(flight,) for flight in ids])

    def forget(self, target: int) -> None:
        """Nothing that this shift recorded as in flight to `target` is any more. Inside a transaction."""
        self.database.run("DELETE FROM runner_flight WHERE target = %s AND owner = %s", [target, self.owner])

    def abandon(self, target: int) -> None:
        """Makes them nobody's: whoever claims the lane groups next, this shift too, looks at them. Inside a transaction."""
        self.database.run(
            "UPDATE runner_flight SET owner = %s WHERE target = %s AND owner = %s",
            [self.owner + LOST, target, self.owner],
        )

    def recover(self, target: int, claimed: list[Claimed], now: int, fresh: bool, policy: Policy) -> None:
        """What a crashed shift had in flight is recorded as unknown; it will be sent again. Inside a transaction.

        Unless that happened too often in a row: then it is a dead letter, and `claimed` tells so.

        `fresh`: this shift holds nothing of the target, so flights in its own name are from before, too.
        """
        lanes = {lane: one for one in claimed for lane in lanes_of(one.slot)}
        lost: list[attempts.AttemptRow] = []
        for flight, owner, text in self.database.rows(
            "SELECT id, owner, seqs FROM runner_flight WHERE target = %s AND owner <> %s",
            [target, "" if fresh else self.owner],
        ):
            left = []
            for lane, seq, number in msgspec.json.decode(text):
                one = lanes.get(lane)
                if one is None:
                    # Another's to look at, when its lane group is claimed; what is on record needs nobody.
                    if not attempts.is_recorded(self.database, target, seq, number):
                        left.append([lane, seq, number])
                elif self._is_open(one, lane, seq, number):
                    unknown = (Outcome.UNKNOWN, None, 0, "The shift ended while this was sent.", None, None)
                    lost.append((target, seq, number, now, 0, *unknown))
                    attempts.record(self.database, lost[-1:], owner.removesuffix(LOST))
                    one.attempts[seq] = number
                    if not owner.endswith(LOST) and self.suspects.note(target, lane, seq, number):
                        self.suspects.give_up(one, seq, policy, now)
            if left:
                self.database.run(
                    "UPDATE runner_flight SET seqs = %s WHERE id = %s",
                    [msgspec.json.encode(left).decode(), flight],
                )
            else:
                self.database.run("DELETE FROM runner_flight WHERE id = %s", [flight])
        if lost:
            rollups.count(self.database, target, now, lost)

    def close_left(self, target: int) -> None:
        """Flights that no living shift holds any more are closed once everything in them is on record."""
        with self.database.transaction():
            alive = self.database.now() - LEASE
            left = self.database.rows(
                "SELECT id, seqs FROM runner_flight WHERE target = %s AND owner <> %s "
                "AND owner NOT IN (SELECT id FROM runner_shift WHERE seen_at > %s)",
                [target, self.owner, alive],
            )
            for flight, text in left:
                if all(
                    attempts.is_recorded(self.database, target, seq, number)
                    for _, seq, number in msgspec.json.decode(text)
                ):
                    self.database.run("DELETE FROM runner_flight WHERE id = %s", [flight])

    def _is_open(self, one: Claimed, lane: int, seq: int, number: int) -> bool:
        """Whether that attempt has no record and its event is still to be delivered."""
        if attempts.is_recorded(self.database, one.target, seq, number):
            return False
        above = seq > one.cursors[lane % LANES_PER_SLOT] and seq not in one.skip
        return above or bool(
            self.database.rows(
                # One that drains is in flight while its row still says that it waits.
                "SELECT 1 FROM runner_exception WHERE target = %s AND seq = %s AND state IN (%s, %s)",
                [one.target, seq, State.RETRY, State.WAITING],
            )
        )
