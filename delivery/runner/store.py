"""The SQL of shifts: leases with fences, routed events, and one commit for attempts, exceptions and cursors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from delivery.log.schema import CURSORS, LANES_PER_SLOT, LATENCIES, LATENCY_BOUNDS, SLOTS
from delivery.runner.database import Database
from delivery.runner.policy import Policy
from delivery.runner.progress import Item, Outbox
from delivery.tracking.words import Outcome, State

# A lease lasts this long (microseconds), is renewed well before, and its holder stops sending before it ends.
LEASE = 5_000_000
MINUTE = 60_000_000
# Exceptions read for one chain at a time.
DRAIN = 50
DUE = 200

ATTEMPT = (
    "INSERT INTO attempt (target, seq, number, at, took, outcome, status, revision, reason, response) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
HOLD = (
    "INSERT INTO runner_exception (target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, due_at, "
    "status, reason, raw, request, response) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
    "ON CONFLICT (target, seq) DO NOTHING"
)
CHANGE = (
    "UPDATE runner_exception SET state = %s, blocks = %s, attempts = %s, first_at = %s, due_at = %s, status = %s, "
    "reason = %s, request = %s, response = %s WHERE seq = %s AND target = %s"
)
DISCARD = (
    "INSERT INTO attempt (target, seq, number, at, took, outcome, status, revision, reason, response) "
    "SELECT target, seq, attempts + 1, %s, 0, %s, NULL, 0, reason, NULL FROM runner_exception "
    "WHERE target = %s AND seq = %s"
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
COUNT = (
    f"INSERT INTO rollup_delivered (target, minute, delivered, retried, dead, {', '.join(LATENCIES)}) "
    f"VALUES ({', '.join(['%s'] * (5 + len(LATENCIES)))}) ON CONFLICT (target, minute) DO UPDATE SET "
    + ", ".join(
        f"{name} = rollup_delivered.{name} + excluded.{name}"
        for name in ("delivered", "retried", "dead", *LATENCIES)
    )
)
# While a target starts in the past (delivery/backfill), it is read up to where its past is routed: what comes after
# waits, so that order holds. HELD names such targets, REACHED is the newest seq that a hint r may tell of, BOUND the
# newest that one target may be read up to. Hints are read before events: what is bound now was bound then.
HELD = "SELECT target FROM delivery_backfill WHERE ended_at IS NULL"
PAST = "LEFT JOIN delivery_backfill b ON b.target = r.target AND b.ended_at IS NULL"
REACHED = "CASE WHEN b.routed < r.seq THEN b.routed ELSE r.seq END"
BOUND = (
    f"COALESCE((SELECT routed FROM delivery_backfill WHERE target = %s AND ended_at IS NULL), {2**63 - 1})"
)
LATELY = 60_000_000
# Beside the failures that count for the policy, how often it was tried: unknown ends and tries before a redrive too.
EXCEPTION = (
    "seq, lane, key, raw, received_at, attempts, blocks, state, first_at, redriven, (SELECT COALESCE(MAX(a.number), 0) "
    "FROM attempt a WHERE a.target = runner_exception.target AND a.seq = runner_exception.seq)"
)


class LeaseLost(Exception):
    """Another shift holds a lane group of this target now: whatever was not committed is its to do."""

    def __init__(self, target: int) -> None:
        super().__init__(f"target {target}: the lease was taken over")
        self.target = target


class Incomplete(Exception):
    """Some of the slots that are needed together are another shift's."""


class Claimed(NamedTuple):
    """A lease that was granted, with everything the holder must know."""

    target: int
    slot: int
    fence: int
    cursors: tuple[int, ...]
    parked: list[tuple[int, int, int, int]]  # key, seq, blocks, state
    skip: set[int]  # delivered or held above the cursors
    attempts: dict[int, int]  # seq -> attempts on record, above the cursors


class Store:
    """One shift's view of the database. All calls come from one thread."""

    def __init__(self, database: Database, owner: str) -> None:
        self.database = database
        self.owner = owner
        self.seen_rules = -1

    # ── the shift itself ──

    def begin(self, host: str, pid: int) -> int:
        """Tells that the shift lives; returns the log's head, from which on hints are news."""
        with self.database.transaction():
            now = self.database.now()
            self.database.run("DELETE FROM runner_shift WHERE seen_at < %s", [now - 60_000_000])
            self.database.run(
                "INSERT INTO runner_shift (id, host, pid, started_at, seen_at) VALUES (%s, %s, %s, %s, %s)",
                [self.owner, host, pid, now, now],
            )
        return int(self.database.rows("SELECT seq FROM log_head WHERE id = 1")[0][0])

    def end(self) -> None:
        """Tells that the shift is over."""
        with self.database.transaction():
            self.database.run("DELETE FROM runner_shift WHERE id = %s", [self.owner])

    def rules_version(self, name: str) -> int:
        """The stamp of the rules, to see whether a target changed."""
        found = self.database.rows("SELECT version FROM catalog_stamp WHERE name = %s", [name])
        return int(found[0][0]) if found else 0

    def shifts(self) -> int:
        """How many shifts live, this one included."""
        alive = self.database.now() - LEASE
        return int(self.database.rows("SELECT COUNT(*) FROM runner_shift WHERE seen_at > %s", [alive])[0][0])

    # ── leases ──

    def routed_since(self, seq: int) -> list[tuple[int, int, int]]:
        """Hints newer than `seq`: (target, slot, newest seq routed there). Those that are held come with `released`."""
        return self.database.rows(
            f"SELECT target, lanes, seq FROM log_ready WHERE seq > %s AND target NOT IN ({HELD}) ORDER BY seq",
            [seq],
        )

    def released(self) -> list[tuple[int, int, int]]:
        """How far targets may be read that start in the past, or did lately: (target, slot, newest seq)."""
        return self.database.rows(
            f"SELECT r.target, r.lanes, {REACHED} FROM log_ready r {PAST} WHERE r.target IN "
            "(SELECT target FROM delivery_backfill WHERE ended_at IS NULL OR ended_at > %s)",
            [self.database.now() - LATELY],
        )

    def open_slots(self) -> list[tuple[int, int, int]]:
        """Every slot that has work and no living lease: (target, slot, newest seq). Hints and due times only."""
        least = f"{'min' if self.database.vendor == 'sqlite' else 'least'}({', '.join(f's.{c}' for c in CURSORS)})"
        now = self.database.now()
        return self.database.rows(
            f"SELECT r.target, r.lanes, {REACHED} FROM log_ready r JOIN rules_target t ON t.id = r.target {PAST} "
            "LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
            f"WHERE t.state = 'running' AND (s.target IS NULL OR (s.until < %s AND {least} < {REACHED})) "
            "UNION SELECT e.target, e.lane / %s, 0 FROM runner_exception e JOIN rules_target t ON t.id = e.target "
            "LEFT JOIN runner_slot s ON s.target = e.target AND s.lanes = e.lane / %s "
            "WHERE t.state = 'running' AND e.due_at <= %s AND (s.target IS NULL OR s.until < %s)",
            [now, LANES_PER_SLOT, LANES_PER_SLOT, now, now],
        )

    def newest(self, target: int) -> list[tuple[int, int]]:
        """The hints of one target: (slot, newest seq)."""
        return self.database.rows(
            f"SELECT r.lanes, {REACHED} FROM log_ready r {PAST} WHERE r.target = %s", [target]
        )

    def leased(self, slots: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of `slots`, (target, slot), that a living shift holds. Reads only: no lock is taken for them."""
        wanted = set(slots)
        targets = sorted({target for target, _ in wanted})
        held: set[tuple[int, int]] = set()
        for at in range(0, len(targets), 500):
            part = targets[at : at + 500]
            rows = self.database.rows(
                f"SELECT target, lanes FROM runner_slot WHERE until >= %s AND target IN ({', '.join(['%s'] * len(part))})",
                [self.database.now(), *part],
            )
            held.update((target, slot) for target, slot in rows)
        return held & wanted

    def claim(self, target: int, slots: Iterable[int], fresh: bool, policy: Policy) -> list[Claimed]:
        """Takes the leases of those `slots` that nobody holds, with a new fence each. Order "all" takes all or none.

        `fresh`: this shift holds nothing of the target, so flights in its own name are from before, too.
        """
        whole = policy.order == "all"
        try:
            with self.database.transaction():
                return self._claim(target, range(SLOTS) if whole else sorted(slots), fresh, policy)
        except Incomplete:
            return []

    def _claim(self, target: int, slots: Sequence[int], fresh: bool, policy: Policy) -> list[Claimed]:
        claimed: list[Claimed] = []
        now = self.database.now()
        for slot in slots:
            row = self.database.rows(
                "INSERT INTO runner_slot (target, lanes, owner, fence, until) VALUES (%s, %s, %s, 1, %s) "
                "ON CONFLICT (target, lanes) DO UPDATE SET owner = excluded.owner, until = excluded.until, "
                f"fence = runner_slot.fence + 1 WHERE runner_slot.until < %s RETURNING fence, {', '.join(CURSORS)}",
                [target, slot, self.owner, now + LEASE, now],
            )
            if row:
                claimed.append(self._take_over(target, slot, row[0][0], row[0][1:]))
        if policy.order == "all" and len(claimed) < len(slots):
            raise Incomplete
        if claimed:
            self._recover_flights(target, claimed, now, fresh)
            self._free_heads(target, claimed, policy, now)
        return claimed

    def _take_over(self, target: int, slot: int, fence: int, cursors: tuple[int, ...]) -> Claimed:
        first, least = slot * LANES_PER_SLOT, min(cursors)
        held = self.database.rows(
            "SELECT key, seq, blocks, state FROM runner_exception "
            "WHERE target = %s AND lane >= %s AND lane < %s ORDER BY seq",
            [target, first, first + LANES_PER_SLOT],
        )
        tried = self.database.rows(
            "SELECT seq, MAX(number), MAX(CASE WHEN outcome IN (%s, %s) THEN 1 ELSE 0 END) FROM attempt "
            "WHERE target = %s AND seq > %s GROUP BY seq",
            [Outcome.DELIVERED, Outcome.DISCARDED, target, least],
        )
        skip = {seq for seq, _, ended in tried if ended} | {row[1] for row in held if row[1] > least}
        return Claimed(target, slot, fence, cursors, held, skip, {seq: number for seq, number, _ in tried})

    def _free_heads(self, target: int, claimed: list[Claimed], policy: Policy, now: int) -> None:
        """Gives a due time to what waits first in its chain: the policy may have changed since it was parked."""
        seen: set[int] = set()
        free = []
        for key, seq, blocks, state in sorted(
            (row for one in claimed for row in one.parked), key=lambda row: row[1]
        ):
            chain = policy.chain(key, seq)
            if blocks and chain not in seen:
                seen.add(chain)
                if state == State.WAITING:
                    free.append((now, target, seq))
        if free:
            self.database.many(
                "UPDATE runner_exception SET due_at = %s WHERE target = %s AND seq = %s AND due_at IS NULL",
                free,
            )

    def _recover_flights(self, target: int, claimed: list[Claimed], now: int, fresh: bool) -> None:
        """What a crashed shift had in flight is recorded as unknown; it will be sent again."""
        lanes = {
            lane: one
            for one in claimed
            for lane in range(one.slot * LANES_PER_SLOT, (one.slot + 1) * LANES_PER_SLOT)
        }
        for flight, text in self.database.rows(
            "SELECT id, seqs FROM runner_flight WHERE target = %s AND owner <> %s",
            [target, "" if fresh else self.owner],
        ):
            left = []
            for lane, seq, number in json.loads(text):
                one = lanes.get(lane)
                if one is None:
                    # Another's to look at, when its lane group is claimed; what is on record needs nobody.
                    if not self._is_recorded(target, seq, number):
                        left.append([lane, seq, number])
                elif self._is_open(one, lane, seq, number):
                    values = [
                        target,
                        seq,
                        number,
                        now,
                        0,
                        Outcome.UNKNOWN,
                        None,
                        0,
                        "The shift ended while this was sent.",
                    ]
                    self.database.run(ATTEMPT, [*values, None])
                    one.attempts[seq] = number
            if left:
                self.database.run(
                    "UPDATE runner_flight SET seqs = %s WHERE id = %s", [json.dumps(left), flight]
                )
            else:
                self.database.run("DELETE FROM runner_flight WHERE id = %s", [flight])

    def _is_open(self, one: Claimed, lane: int, seq: int, number: int) -> bool:
        """Whether that attempt has no record and its event is still to be delivered."""
        if self._is_recorded(one.target, seq, number):
            return False
        above = seq > one.cursors[lane % LANES_PER_SLOT] and seq not in one.skip
        return above or bool(
            self.database.rows(
                # One that drains is in flight while its row still says that it waits.
                "SELECT 1 FROM runner_exception WHERE target = %s AND seq = %s AND state IN (%s, %s)",
                [one.target, seq, State.RETRY, State.WAITING],
            )
        )

    def _is_recorded(self, target: int, seq: int, number: int) -> bool:
        """Whether that attempt, or one that delivered the event, is on record."""
        found = self.database.rows(
            "SELECT 1 FROM attempt WHERE target = %s AND seq = %s AND (number >= %s OR outcome = %s) LIMIT 1",
            [target, seq, number, Outcome.DELIVERED],
        )
        return bool(found)

    def renew(self) -> set[tuple[int, int]]:
        """Renews every lease this shift still holds and tells that it lives; returns those renewed: (target, slot)."""
        with self.database.transaction():
            now = self.database.now()
            rows = self.database.rows(
                "UPDATE runner_slot SET until = %s WHERE owner = %s AND until >= %s RETURNING target, lanes",
                [now + LEASE, self.owner, now],
            )
            self.database.run("UPDATE runner_shift SET seen_at = %s WHERE id = %s", [now, self.owner])
        return set(rows)

    def release(self, target: int, slots: Iterable[int], forget_flights: bool) -> None:
        """Gives leases back. `forget_flights`: nothing of theirs is in flight any more."""
        with self.database.transaction():
            for slot in slots:
                self.database.run(
                    "UPDATE runner_slot SET owner = NULL, until = 0 WHERE target = %s AND lanes = %s AND owner = %s",
                    [target, slot, self.owner],
                )
            if forget_flights:
                self.database.run(
                    "DELETE FROM runner_flight WHERE target = %s AND owner = %s", [target, self.owner]
                )
            else:
                # Nobody's from now on: whoever claims the lane groups next, this shift too, looks at them.
                self.database.run(
                    "UPDATE runner_flight SET owner = %s WHERE target = %s AND owner = %s",
                    [f"{self.owner} (lost)", target, self.owner],
                )

    # ── reading ──

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
        counts: dict[int, int] = {}
        last: dict[int, int] = {}
        items = []
        for lane, seq, key, received_at, raw in rows:
            slot = lane // LANES_PER_SLOT
            counts[slot] = counts.get(slot, 0) + 1
            last[slot] = max(seq, last.get(slot, 0))
            items.append(Item(seq, lane, key, bytes(raw), received_at))
        items.sort(key=_seq)
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

    # ── writing ──

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
                seqs = json.dumps([[item.lane, item.seq, item.attempts + 1] for item in items])
                row = self.database.rows(
                    "INSERT INTO runner_flight (target, owner, at, seqs) VALUES (%s, %s, %s, %s) RETURNING id",
                    [target, self.owner, now, seqs],
                )
                ids.append(row[0][0])
        return ids

    def _record(self, outbox: Outbox, now: int) -> None:
        # The lease of every lane group touched is checked, also where no cursor moves.
        for slot, fence, cursors in outbox.positions:
            if self.database.run(MOVE, [*cursors, outbox.target, slot, self.owner, fence]) != 1:
                raise LeaseLost(outbox.target)
        if outbox.attempts:
            self.database.many(ATTEMPT, outbox.attempts)
        if outbox.held:
            self.database.many(HOLD, outbox.held)
        if outbox.changed:
            self.database.many(CHANGE, [(*row, outbox.target) for row in outbox.changed])
        for seq in outbox.discarded:
            self.database.run(DISCARD, [now, Outcome.DISCARDED, outbox.target, seq])
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
            self.database.many(
                "DELETE FROM runner_flight WHERE id = %s", [(flight,) for flight in outbox.closed]
            )
        if outbox.latencies or outbox.retried or outbox.dead:
            self.database.run(
                COUNT,
                [
                    outbox.target, now // MINUTE, len(outbox.latencies), outbox.retried, outbox.dead,
                    *_histogram(outbox.latencies),
                ],
            )  # fmt: skip

    def prune(self, target: int, passed: Mapping[int, int]) -> None:
        """Drops the routes that every lane of a slot has passed: slot -> lowest committed cursor."""
        with self.database.transaction():
            self.database.many(
                "DELETE FROM log_route WHERE target = %s AND lanes = %s AND seq <= %s",
                [(target, slot, cursor) for slot, cursor in passed.items()],
            )
        self._close_left_flights(target)

    def _close_left_flights(self, target: int) -> None:
        """Flights that no living shift holds any more are closed once everything in them is on record."""
        with self.database.transaction():
            alive = self.database.now() - LEASE
            left = self.database.rows(
                "SELECT id, seqs FROM runner_flight WHERE target = %s AND owner <> %s "
                "AND owner NOT IN (SELECT id FROM runner_shift WHERE seen_at > %s)",
                [target, self.owner, alive],
            )
            for flight, text in left:
                if all(self._is_recorded(target, seq, number) for _, seq, number in json.loads(text)):
                    self.database.run("DELETE FROM runner_flight WHERE id = %s", [flight])


def _seq(item: Item) -> int:
    return item.seq


def _target(outbox: Outbox) -> int:
    return outbox.target


def _held_item(row: tuple[Any, ...]) -> Item:
    seq, lane, key, raw, received_at, failures, blocks, state, first_at, redriven, attempts = row
    return Item(
        seq, lane, key, bytes(raw), received_at, attempts=attempts, failures=failures, held=True, blocking=bool(blocks),
        state=state, first_at=first_at, redriven=redriven,
    )  # fmt: skip


def _histogram(latencies: Sequence[int]) -> list[int]:
    counts = [0] * len(LATENCIES)
    for latency in latencies:
        for at, bound in enumerate(LATENCY_BOUNDS):
            if latency <= bound:
                counts[at] += 1
                break
        else:
            counts[-1] += 1
    return counts
