"""What delivery/runner/store.py keeps in tables, kept in dictionaries: the same answers, computed another way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from delivery.log.schema import LANES_PER_SLOT, SLOTS
from delivery.runner.items import Item, Outbox
from delivery.runner.lease import Claimed
from delivery.runner.policy import Policy
from delivery.tracking.words import Outcome, State


@dataclass
class Exceptional:
    """One row of runner_exception."""

    seq: int
    lane: int
    key: int
    state: int
    blocks: bool
    failures: int
    redriven: int
    due_at: int | None


@dataclass
class MemoryStore:
    """One target's rows, and one shift's way to them."""

    target: int = 1
    seen_rules: int = 0
    now: int = 1_000_000
    events_by_seq: dict[int, tuple[int, int]] = field(default_factory=dict)  # seq -> lane, key
    cursors: dict[int, int] = field(default_factory=dict)
    exceptions: dict[int, Exceptional] = field(default_factory=dict)
    attempts: list[tuple[int, int, int]] = field(default_factory=list)  # seq, number, outcome
    flights: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # id -> [(seq, number)]
    next_flight: int = 1
    owned: set[int] = field(default_factory=set)
    mode: str | None = None  # the order in force

    # ── what the test does ──

    def publish(self, lane: int, key: int) -> int:
        seq = len(self.events_by_seq) + 1
        self.events_by_seq[seq] = (lane, key)
        return seq

    def redrive(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            row = self.exceptions[seq]
            row.state, row.failures, row.due_at = State.RETRY, 0, self.now
            row.redriven += 1

    def discard(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self.exceptions[seq].state, self.exceptions[seq].due_at = State.DISCARD, self.now

    def dead(self) -> list[int]:
        return sorted(row.seq for row in self.exceptions.values() if row.state == State.DEAD)

    def has_work(self) -> bool:
        """Whether the sweep would find a slot of the target open."""
        return any(self.cursors.get(lane, 0) < seq for seq, (lane, _) in self.events_by_seq.items()) or any(
            row.due_at is not None and row.due_at <= self.now for row in self.exceptions.values()
        )

    def has_due(self) -> bool:
        """Whether the sweep finds something now or later."""
        return any(row.due_at is not None for row in self.exceptions.values())

    def crash(self) -> None:
        self.owned.clear()

    # ── what delivery/runner/work.py asks ──

    def drainable(self, target: int, mode: str) -> bool:
        """As people would say it: of each chain, everything before its first dead letter that blocks can be finished."""
        ends: dict[int, int] = {}
        for row in sorted(self.exceptions.values(), key=lambda row: row.seq, reverse=True):
            if row.state == State.DEAD and row.blocks:
                ends[row.key if mode == "key" else 0] = row.seq
        return any(
            row.state in (State.RETRY, State.DISCARD)
            or (
                row.state == State.WAITING
                and row.seq < ends.get(row.key if mode == "key" else 0, row.seq + 1)
            )
            for row in self.exceptions.values()
        )

    def claim(self, policy: Policy) -> list[Claimed]:
        former, drains = self.mode, None
        if former not in (None, policy.order):
            if policy.order == "none":
                for row in self.exceptions.values():
                    row.blocks = row.blocks and row.state != State.DEAD
            drains = former if self.drainable(self.target, str(former)) else None
        self.mode = drains or policy.order
        if drains:
            policy = policy.draining(drains)
        claimed = []
        for slot in range(SLOTS):
            lanes = range(slot * LANES_PER_SLOT, (slot + 1) * LANES_PER_SLOT)
            cursors = tuple(self.cursors.get(lane, 0) for lane in lanes)
            held = sorted(
                (row for row in self.exceptions.values() if row.lane in lanes), key=lambda row: row.seq
            )
            above = [attempt for attempt in self.attempts if attempt[0] > min(cursors)]
            skip = {seq for seq, _, outcome in above if outcome in (Outcome.DELIVERED, Outcome.DISCARDED)}
            numbers: dict[int, int] = {}
            for seq, number, _ in above:
                numbers[seq] = max(number, numbers.get(seq, 0))
            claimed.append(
                Claimed(
                    self.target,
                    slot,
                    1,
                    cursors,
                    [(row.key, row.seq, int(row.blocks), row.state) for row in held],
                    skip | {row.seq for row in held},
                    numbers,
                    drains,
                )
            )
            self.owned.add(slot)
        for flight in self.flights.values():
            for seq, number in flight:
                if any(s == seq and (n >= number or o == Outcome.DELIVERED) for s, n, o in self.attempts):
                    continue
                one = claimed[self.events_by_seq[seq][0] // LANES_PER_SLOT]
                row = self.exceptions.get(seq)
                fresh = seq > one.cursors[self.events_by_seq[seq][0] % LANES_PER_SLOT] and seq not in one.skip
                if fresh or (row is not None and row.state in (State.RETRY, State.WAITING)):
                    self.attempts.append((seq, number, Outcome.UNKNOWN))
                    one.attempts[seq] = number
        self.flights.clear()
        heads: dict[int, Exceptional] = {}
        for row in sorted(self.exceptions.values(), key=lambda row: row.seq):
            if row.blocks:
                heads.setdefault(policy.chain(row.key, row.seq), row)
        for row in heads.values():
            if row.state == State.WAITING and row.due_at is None:
                row.due_at = self.now
        return claimed

    def release(self, target: int, slots: Iterable[int], forget_flights: bool) -> None:
        self.owned.clear()
        if forget_flights:
            self.flights.clear()

    def prune(self, target: int, passed: Mapping[int, int]) -> None:
        """Routes are no matter of these tests."""

    def leased(self, slots: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        return set()

    def routed_since(self, since: int) -> list[tuple[int, int, int]]:
        newest: dict[int, int] = {}
        for seq, (lane, _) in self.events_by_seq.items():
            newest[lane // LANES_PER_SLOT] = seq
        return sorted((self.target, slot, seq) for slot, seq in newest.items() if seq > since)

    def events(self, target: int, after: Mapping[int, int], limit: int) -> tuple[list[Item], dict[int, int]]:
        items, more = [], {}
        for slot, read in after.items():
            found = [
                Item(seq, lane, key, b"", 0)
                for seq, (lane, key) in self.events_by_seq.items()
                if lane // LANES_PER_SLOT == slot and seq > read
            ][:limit]
            items += found
            if len(found) >= limit:
                more[slot] = found[-1].seq
        return sorted(items, key=lambda item: item.seq), more

    def due(self, target: int, slots: Iterable[int]) -> list[Item]:
        due = [row for row in self.exceptions.values() if row.due_at is not None and row.due_at <= self.now]
        return [self._item(row) for row in sorted(due, key=lambda row: (row.due_at, row.seq))]

    def drain(self, target: int, key: int | None) -> list[Item]:
        items = []
        for row in sorted(self.exceptions.values(), key=lambda row: row.seq):
            if row.blocks and (key is None or row.key == key):
                if row.state != State.WAITING or len(items) == 3:
                    break
                items.append(self._item(row))
        return items

    def commit(self, work: Sequence[Outbox], flights: Sequence[tuple[int, list[Item]]]) -> list[int]:
        for outbox in work:
            self._record(outbox)
        ids = []
        for _, items in flights:
            self.flights[self.next_flight] = [(item.seq, item.attempts + 1) for item in items]
            ids.append(self.next_flight)
            self.next_flight += 1
        return ids

    def _record(self, outbox: Outbox) -> None:
        for slot, _, cursors in outbox.positions:
            assert slot in self.owned
            for number, cursor in enumerate(cursors):
                self.cursors[slot * LANES_PER_SLOT + number] = cursor
        self.attempts += [(row[1], row[2], row[5]) for row in outbox.attempts]
        for _, seq, lane, key, state, blocks, failures, redriven, _, _, due_at, *_ in outbox.held:
            assert seq not in self.exceptions
            self.exceptions[seq] = Exceptional(
                seq, lane, key, state, bool(blocks), failures, redriven, due_at
            )
        for state, blocks, failures, _, due_at, *_, seq in outbox.changed:
            row = self.exceptions[seq]
            self.exceptions[seq] = replace(
                row, state=state, blocks=bool(blocks), failures=failures, due_at=due_at
            )
        for seq in outbox.discarded:
            self.attempts.append((seq, self._number(seq) + 1, Outcome.DISCARDED))
        for seq in outbox.settled:
            del self.exceptions[seq]
        for key in outbox.freed:
            chain = [row for row in self.exceptions.values() if row.blocks and key in (None, row.key)]
            if chain:
                first = min(chain, key=lambda row: row.seq)
                if first.state == State.WAITING and first.due_at is None:
                    first.due_at = self.now
        for flight in outbox.closed:
            del self.flights[flight]

    def _number(self, seq: int) -> int:
        return max((number for s, number, _ in self.attempts if s == seq), default=0)

    def _item(self, row: Exceptional) -> Item:
        return Item(
            row.seq, row.lane, row.key, b"", 0, attempts=self._number(row.seq), failures=row.failures, held=True,
            blocking=row.blocks, state=row.state, redriven=row.redriven,
        )  # fmt: skip
