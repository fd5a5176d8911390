"""One target's progress in memory: which events may be sent, in which order, and what is to be recorded.

Pure: no database, no clock, no sockets. The shift feeds it with what the store read and with how sends ended, and
hands its outbox to the store. The rules of order live here:

* events of a chain (usually one order key) are sent one at a time, in seq order;
* an event that fails parks its chain: later events become waiting exceptions, in the same commit;
* a lane's cursor passes an event only when it was delivered or became an exception.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from delivery.log.schema import LANES_PER_SLOT
from delivery.runner.items import Flight, Item, Lane, Outbox
from delivery.runner.policy import Policy
from delivery.tracking.words import State

EMPTY: Mapping[int, int] = {}
NOBODY: Mapping[int, tuple[int, bool]] = {}


class Progress:
    """The state machine of one target in one shift."""

    def __init__(self, target: int, policy: Policy, drains: str | None = None) -> None:
        """`drains`: the order whose parked events are finished, by its rules; nothing fresh is offered meanwhile."""
        self.target = target
        self.policy = policy if drains is None else policy.draining(drains)
        self.drains = drains
        self.lanes: dict[int, Lane] = {}
        self.fences: dict[int, int] = {}
        self.newest: dict[int, int] = {}  # slot -> newest seq the hint told of
        self.parked: dict[int, int] = {}  # chain -> exceptions that block it
        self.busy: dict[int, deque[Item] | None] = {}  # chain -> events behind the one being sent, if any
        self.ready: deque[Item] = deque()  # may be sent once recorded as in flight
        self.cleared: deque[Item] = deque()  # recorded: may be sent now
        self.alone: deque[Item] = deque()  # are sent while nothing else is
        self.held_seqs: set[int] = set()  # exceptions in memory
        # Those that wait, are tried again, or are waited for, in the lane groups held. Nothing waits for other dead letters.
        self.exceptions: set[int] = set()
        self.to_drain: set[int] = set()  # chains whose next exception is to be read
        self.sending = 0
        self.buffered = 0
        self.outbox = Outbox(target)
        self._skip: set[int] = set()
        self._attempts: dict[int, int] = {}
        self._suspects: dict[int, tuple[int, bool]] = {}

    # ── what the store read ──

    def take(
        self,
        slot: int,
        fence: int,
        cursors: Iterable[int],
        skip: Iterable[int] = (),
        attempts: Mapping[int, int] = EMPTY,
        suspects: Mapping[int, tuple[int, bool]] = NOBODY,
    ) -> None:
        """This shift holds the lease of `slot` now, from these cursors on.

        `skip`: events above the cursors that were done before. `attempts`: seq -> attempts on record. `suspects`: seq ->
        the attempt during which its worker died, and whether it is sent alone if that was the last one.
        """
        self._suspects.update(suspects)
        self.fences[slot] = fence
        for number, cursor in enumerate(cursors):
            self.lanes[slot * LANES_PER_SLOT + number] = Lane(cursor, cursor)
        self._skip.update(skip)
        for seq, number in attempts.items():
            self._attempts[seq] = max(number, self._attempts.get(seq, 0))

    def park(self, key: int, seq: int, blocks: bool) -> None:
        """An exception that was there when the lease was taken."""
        self.exceptions.add(seq)
        if blocks:
            chain = self.policy.chain(key, seq)
            self.parked[chain] = self.parked.get(chain, 0) + 1

    def is_new(self, item: Item) -> bool:
        """Whether nothing is on record of an event that was read. Only reading and taking leases change the answer."""
        return item.seq not in self._skip and item.seq not in self._attempts

    def offer(self, items: Iterable[Item], opened: tuple[int, Sequence[Item]] | None = None) -> None:
        """Events from the log, in seq order within each lane. `opened`: a flight that some of them are recorded in."""
        if opened is not None:
            flight = Flight(opened[0], len(opened[1]))
            for item in opened[1]:
                item.flight = flight
        for item in items:
            lane = self.lanes[item.lane]
            lane.pending.append(item.seq)
            lane.read = max(lane.read, item.seq)
            if item.seq in self._skip:
                self._skip.discard(item.seq)
                lane.complete(item.seq)
                self.outbox.slots.add(item.lane // LANES_PER_SLOT)
            else:
                item.attempts = self._attempts.pop(item.seq, 0)
                self._enqueue(item)

    def read_up_to(self, lane_number: int, seq: int) -> None:
        """Everything routed to the lane up to `seq` was offered."""
        lane = self.lanes[lane_number]
        if seq > lane.read:
            lane.read = seq
            if not lane.pending and lane.cursor < seq:
                lane.cursor = seq
                self.outbox.slots.add(lane_number // LANES_PER_SLOT)

    def offer_held(self, items: Iterable[Item]) -> None:
        """Exceptions that are due, or next in a chain that drains; lowest seq of a chain first.

        They were read while sends went on. What ended meanwhile is still in the outbox: its row was out of date when
        it was read, and so is what the same reading says of its chain. Both are read again once that is committed.
        """
        ended = {*self.outbox.settled, *(row[-1] for row in self.outbox.changed)}
        outdated: set[int] = set()
        for item in items:
            chain = self.policy.chain(item.key, item.seq)
            if item.seq in ended:
                outdated.add(chain)
            if item.seq in self.held_seqs or chain in outdated:
                continue
            self.held_seqs.add(item.seq)
            self.exceptions.add(item.seq)
            item.chain = chain
            item.attempts = max(item.attempts, self._attempts.pop(item.seq, 0))
            if item.state == State.DISCARD:
                self.outbox.discarded.append(item.seq)
                self._settle(item, chain)
                if chain in self.parked and chain not in self.busy:
                    self.to_drain.add(chain)
                continue
            self._line_up(item, chain)

    def _enqueue(self, item: Item) -> None:
        item.chain = chain = self.policy.chain(item.key, item.seq)
        if chain in self.parked:
            self._leave_flight(item)
            self._hold(item, chain)
        else:
            self._line_up(item, chain)

    def _line_up(self, item: Item, chain: int) -> None:
        """The first of its chain is ready, the others stand behind it."""
        self.buffered += 1
        if chain not in self.busy:
            self.busy[chain] = None
            (self.ready if item.flight is None else self.cleared).append(item)
            return
        behind = self.busy[chain]
        if behind is None:
            behind = self.busy[chain] = deque()
        behind.append(item)

    # ── sending ──

    def to_clear(self, limit: int, behind: int = 32) -> tuple[list[Item], list[Item]]:
        """About `limit` events to record as in flight: the heads of chains, and some that follow in each chain.

        The followers are recorded early so that a chain need not wait for a commit between two of its events; not while
        there are suspects.
        """
        heads: list[Item] = []
        following: list[Item] = []
        behind = 0 if self._suspects else behind
        while self.ready and len(heads) + len(following) < limit:
            item = self.ready.popleft()
            if self._suspects and self._is_suspect(item):
                self.alone.append(item)
                continue
            heads.append(item)
            followers = self.busy[item.chain]
            if followers is not None:
                following += [one for one in islice(followers, behind) if one.flight is None]
        return heads, following

    def clear(self, heads: list[Item], following: list[Item], flight_id: int) -> None:
        """They are recorded as in flight: the heads may be sent now, the others when their turn comes."""
        flight = Flight(flight_id, len(heads) + len(following))
        for item in heads:
            item.flight = flight
        for item in following:
            item.flight = flight
        self.cleared.extend(heads)

    def clear_alone(self, item: Item, flight_id: int) -> None:
        """A suspect is recorded as in flight, by itself: it is the next to be sent."""
        item.flight = Flight(flight_id, 1)
        self.cleared.appendleft(item)

    @property
    def watchful(self) -> bool:
        """Whether some of its events were being sent when a worker died: no more is recorded than is sent at once."""
        return bool(self._suspects)

    def _is_suspect(self, item: Item) -> bool:
        """Whether it is to be sent alone."""
        return self._suspects.get(item.seq) == (item.attempts, True)

    # ── how sends ended ──

    def tried(self, item: Item, attempt: tuple[Any, ...], size: int = 0) -> None:
        """An attempt at `item` with `size` bytes ended; `attempt` is its row. What it means for the event is told next."""
        item.attempts += 1
        if self._suspects:
            self._suspects.pop(item.seq, None)
        outbox = self.outbox
        outbox.attempts.append(attempt)
        outbox.size += size
        outbox.slots.add(item.lane // LANES_PER_SLOT)

    def delivered(self, item: Item, now: int) -> None:
        """The target took it. `now` in microseconds."""
        self.outbox.latencies.append(max(0, (now - item.received_at) // 1000))
        chain = self._land(item)
        if item.held:
            self._settle(item, chain)
        else:
            self._pass(item)
        self._next(chain, goes_on=True)

    def failed(
        self,
        item: Item,
        now: int,
        due_at: int | None,
        reason: str,
        status: int | None,
        request: str | None = None,
        response: str | None = None,
        clock: int = 0,
        counts: bool = True,
    ) -> None:
        """The target did not take it: it is tried again at `due_at` (microseconds), or is a dead letter when None.

        `clock`: the target's running clock. `counts`: whether it is a failure by the policy, as a probe's is not.
        """
        chain = self._land(item)
        dead = due_at is None
        # What was redriven past its successors once need not hold them up again.
        blocks = self.policy.blocks if dead or item.redriven else self.policy.order != "none"
        state = State.DEAD if dead else State.RETRY
        first_at = item.first_at or now
        begun = clock if item.clock is None else item.clock
        self.outbox.dead += dead
        self.outbox.retried += not dead
        tried = (int(state), int(blocks), item.failures + counts)
        if item.held:
            self.held_seqs.discard(item.seq)
            self.outbox.changed.append(
                (*tried, first_at, due_at, status, reason, request, response, begun, item.seq)
            )
            if item.blocking and not blocks:
                self._unblock(chain, item.key)
        else:
            place = (self.target, item.seq, item.lane, item.key)
            self.outbox.held.append(
                (
                    *place,
                    *tried,
                    item.redriven,
                    item.received_at,
                    first_at,
                    due_at,
                    status,
                    reason,
                    item.raw,
                    request,
                    response,
                    begun,
                )
            )
            self._pass(item)
        if dead and not blocks:
            self.exceptions.discard(item.seq)
        else:
            self.exceptions.add(item.seq)
        if blocks and not item.blocking:
            self._block(chain)
        self._next(chain, goes_on=not blocks)

    def follows(self, item: Item) -> bool:
        """Whether `item`, which was sent right behind one of its chain, is to be accounted for now.

        It is when that one was taken. Else it waits by now behind the one that failed, and is sent again after it.
        """
        if self.cleared and self.cleared[-1] is item:
            self.cleared.pop()
            return True
        return False

    def take_outbox(self) -> Outbox:
        """What is to be committed now, with the cursors as they stand: later moves belong to the next commit."""
        outbox, self.outbox = self.outbox, Outbox(self.target)
        for slot in outbox.slots:
            first = slot * LANES_PER_SLOT
            cursors = [self.lanes[first + number].cursor for number in range(LANES_PER_SLOT)]
            outbox.positions.append((slot, self.fences[slot], cursors))
        return outbox

    def _next(self, chain: int, goes_on: bool) -> None:
        """Lets the chain go on after its head ended."""
        followers = self.busy.pop(chain)
        if chain not in self.parked or (goes_on and followers and followers[0].held):
            if followers:
                head = followers.popleft()
                self.busy[chain] = followers
                (self.ready if head.flight is None else self.cleared).append(head)
            return
        for follower in followers or ():
            self._land(follower)
            if follower.held:
                self.held_seqs.discard(follower.seq)  # It has its row, and is read again when its turn comes.
            else:
                self._hold(follower, chain)
        if goes_on:
            self.to_drain.add(chain)

    def _settle(self, item: Item, chain: int) -> None:
        """An exception that is none any more."""
        self.held_seqs.discard(item.seq)
        self.exceptions.discard(item.seq)
        self.outbox.settled.append(item.seq)
        self.outbox.slots.add(item.lane // LANES_PER_SLOT)
        if item.blocking:
            self._unblock(chain, item.key)

    def _hold(self, item: Item, chain: int) -> None:
        """A fresh event of a parked chain becomes an exception that waits."""
        self.exceptions.add(item.seq)
        place = (self.target, item.seq, item.lane, item.key)
        self.outbox.held.append(
            (*place, int(State.WAITING), 1, 0, 0, item.received_at, 0, *[None] * 3, item.raw, *[None] * 3)
        )
        self._block(chain)
        self._pass(item)

    def _block(self, chain: int) -> None:
        self.parked[chain] = self.parked.get(chain, 0) + 1

    def _unblock(self, chain: int, key: int) -> None:
        left = self.parked.get(chain, 0) - 1
        if left > 0:
            self.parked[chain] = left
            # This shift drains the chain; whoever comes after it, or after its crash, must find that it may.
            self.outbox.freed.add(None if self.policy.order == "all" else key)
        else:
            self.parked.pop(chain, None)

    def _pass(self, item: Item) -> None:
        self.lanes[item.lane].complete(item.seq)
        self.outbox.slots.add(item.lane // LANES_PER_SLOT)

    def _land(self, item: Item) -> int:
        """Takes the event out of memory's counts and its flight; returns its chain."""
        self.buffered -= 1
        self._leave_flight(item)
        return item.chain

    def _leave_flight(self, item: Item) -> None:
        flight = item.flight
        if flight is not None:
            item.flight = None
            flight.open -= 1
            if flight.open == 0:
                self.outbox.closed.append(flight.id)
