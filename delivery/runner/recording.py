"""What a shift records: one commit for attempts, exceptions, cursors, counts and what is about to be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from delivery.log.schema import CURSORS
from delivery.runner import attempts, rollups
from delivery.runner.items import Item, Outbox
from delivery.runner.lease import LeaseLost
from delivery.runner.view import View
from delivery.tracking.words import State

HOLD = (
    "INSERT INTO runner_exception (target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, due_at, "
    "status, reason, raw, request, response, clock) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
    "ON CONFLICT (target, seq) DO NOTHING"
)
CHANGE = (
    "UPDATE runner_exception SET state = %s, blocks = %s, attempts = %s, first_at = %s, due_at = %s, status = %s, "
    "reason = %s, request = %s, response = %s, clock = %s WHERE seq = %s AND target = %s"
)
# What waits first in its chain, and may be sent, has a due time: the sweep finds it, whoever drains the chain.
FREE = (
    "UPDATE runner_exception SET due_at = %s WHERE target = %s AND state = %s AND due_at IS NULL AND seq = "
    "(SELECT MIN(seq) FROM runner_exception WHERE target = %s AND blocks = 1{of_key})"
)
MOVE = (
    f"UPDATE runner_slot SET {', '.join(f'{name} = %s' for name in CURSORS)} "
    "WHERE target = %s AND lanes = %s AND owner = %s AND fence = %s"
)


class Recording(View):
    """Commits that the fence of every lane group touched guards."""

    def commit(self, work: Sequence[Outbox], flights: Sequence[tuple[int, list[Item]]]) -> list[int]:
        """Records everything of `work` and opens `flights`, all in one transaction; returns the flights' ids.

        Raises LeaseLost, with nothing recorded, when a lease of one of the targets was taken over.
        """
        ids: list[int] = []
        with self.database.transaction():
            now = self.database.now()
            # Shifts share the rows of rollup_delivered: in one order, or two of them wait for each other in a circle.
            for outbox in sorted(work, key=_target):
                self._record(outbox, now)
            for target, items in flights:
                ids.append(self.flights.open(target, items, now))
        return ids

    def prune(self, target: int, passed: Mapping[int, int]) -> None:
        """Drops the routes that every lane of a slot has passed: slot -> lowest committed cursor."""
        with self.database.transaction():
            self.database.many(
                "DELETE FROM log_route WHERE target = %s AND lanes = %s AND seq <= %s",
                [(target, slot, cursor) for slot, cursor in passed.items()],
            )
        self.flights.close_left(target)

    def _record(self, outbox: Outbox, now: int) -> None:
        # The lease of every lane group touched is checked, also where no cursor moves.
        moves = [
            (*cursors, outbox.target, slot, self.owner, fence) for slot, fence, cursors in outbox.positions
        ]
        if moves and self.database.many(MOVE, moves) != len(moves):
            raise LeaseLost(outbox.target)
        if outbox.attempts:
            attempts.record(self.database, outbox.attempts, self.owner)
        if outbox.held:
            self.database.many(HOLD, outbox.held)
        if outbox.changed:
            self.database.many(CHANGE, [(*row, outbox.target) for row in outbox.changed])
        for seq in outbox.discarded:
            attempts.record_discarded(self.database, outbox.target, seq, now, self.owner)
        if outbox.settled:
            self.database.many(
                "DELETE FROM runner_exception WHERE target = %s AND seq = %s",
                [(outbox.target, seq) for seq in outbox.settled],
            )
        for key in outbox.freed:
            of_key, which = ("", []) if key is None else (" AND key = %s", [key])
            self.database.run(
                FREE.format(of_key=of_key), [now, outbox.target, State.WAITING, outbox.target, *which]
            )
        if outbox.closed:
            self.flights.close(outbox.closed)
        if outbox.attempts or outbox.discarded or outbox.latencies or outbox.dead:
            rollups.count(
                self.database, outbox.target, now, outbox.attempts, outbox.latencies, outbox.retried, outbox.dead,
                len(outbox.discarded), outbox.size,
            )  # fmt: skip


def _target(outbox: Outbox) -> int:
    return outbox.target
