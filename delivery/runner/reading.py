"""What a shift reads to send: routed events after its cursors, and exceptions whose turn has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from delivery.log.schema import LANES_PER_SLOT
from delivery.runner.attempts import TRIED
from delivery.runner.held import BOUND
from delivery.runner.items import Item
from delivery.runner.view import View
from delivery.tracking.words import State

# Exceptions read for one chain at a time.
DRAIN = 50
DUE = 200

EXCEPTION = (
    "seq, lane, key, raw, received_at, attempts, blocks, state, first_at, redriven, "
    # Where it was tried before there was such a clock, the target never rested.
    f"COALESCE(clock, NULLIF(first_at, 0)), {TRIED}"
)


class Reading(View):
    """Events and exceptions of the lane groups that this shift holds."""

    def events(self, target: int, after: Mapping[int, int], limit: int) -> tuple[list[Item], dict[int, int]]:
        """Up to `limit` events of each slot after a seq, in seq order over all; slot -> last seq where there is more."""
        if self.database.vendor == "sqlite":
            one = (
                "SELECT r.lane, r.seq, e.key, e.received_at, e.raw FROM log_route r JOIN log_event e ON e.seq = r.seq "
                f"WHERE r.target = %s AND r.lanes = %s AND r.seq > %s AND r.seq <= {BOUND} ORDER BY r.seq LIMIT %s"
            )
            rows: list[tuple[Any, ...]] = []
            for slot, seq in after.items():
                rows += self.database.rows(one, [target, slot, seq, target, limit])
        else:
            rows = self.database.rows(
                "SELECT r.lane, r.seq, e.key, e.received_at, e.raw FROM unnest(%s::bigint[], %s::bigint[]) l(lanes, after) "
                "CROSS JOIN LATERAL (SELECT lane, seq FROM log_route WHERE target = %s AND lanes = l.lanes AND seq > l.after "
                f"AND seq <= {BOUND} ORDER BY seq LIMIT %s) r JOIN log_event e ON e.seq = r.seq",
                [list(after), list(after.values()), target, target, limit],
            )
        # Of each slot the rows came in seq order: its last one is what it was read up to.
        last = {row[0] // LANES_PER_SLOT: row[1] for row in rows}
        counts = Counter([row[0] // LANES_PER_SLOT for row in rows]) if len(rows) >= limit else {}
        rows.sort(key=_seq)
        items = [Item(seq, lane, key, raw, received_at) for lane, seq, key, received_at, raw in rows]
        return items, {slot: last[slot] for slot, count in counts.items() if count >= limit}

    def due(self, target: int, slots: Iterable[int]) -> list[Item]:
        """Exceptions whose time has come, heads of their chains only, in the lane groups this shift holds."""
        now = self.database.now()
        held = ", ".join(str(slot) for slot in slots)
        rows = self.database.rows(
            f"SELECT {EXCEPTION} FROM runner_exception WHERE target = %s AND due_at <= %s "
            f"AND lane / {LANES_PER_SLOT} IN ({held}) ORDER BY due_at, seq LIMIT {DUE}",
            [target, now],
        )
        return [_held_item(row) for row in rows]

    def due_targets(self) -> set[int]:
        """The targets with an exception whose time has come."""
        rows = self.database.rows(
            "SELECT DISTINCT target FROM runner_exception WHERE due_at <= %s", [self.database.now()]
        )
        return {target for (target,) in rows}

    def drain(self, target: int, key: int | None) -> list[Item]:
        """The exceptions that wait next in a chain, up to one that is tried later or dead. `key` None: the whole target."""
        where, values = (" AND key = %s", [target, key]) if key is not None else ("", [target])
        rows = self.database.rows(
            f"SELECT {EXCEPTION} FROM runner_exception WHERE target = %s{where} AND blocks = 1 ORDER BY seq LIMIT {DRAIN}",
            values,
        )
        items = []
        for row in rows:
            if row[7] != State.WAITING:
                break
            items.append(_held_item(row))
        return items


_seq = itemgetter(1)


def _held_item(row: tuple[Any, ...]) -> Item:
    seq, lane, key, raw, received_at, failures, blocks, state, first_at, redriven, clock, attempts = row
    return Item(
        seq, lane, key, bytes(raw), received_at, attempts=attempts, failures=failures, held=True, blocking=bool(blocks),
        state=state, first_at=first_at, redriven=redriven, clock=clock,
    )  # fmt: skip
