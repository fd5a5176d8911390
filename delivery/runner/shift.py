"""A shift: one event loop that leases lane groups of many targets, delivers their events and leaves after a while.

Everything a shift knows it can lose: the database has the cursors, the exceptions and what was in flight.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from delivery.doorbell import Bell
from delivery.peers.services import services
from delivery.runner.alone import Alone
from delivery.runner.database import DATABASE_ERRORS
from delivery.runner.facts import Facts
from delivery.runner.gate import Gate
from delivery.runner.lease import Claimed, LeaseLost
from delivery.runner.planning import ask
from delivery.runner.progress import Progress
from delivery.runner.reading import DUE
from delivery.runner.rhythm import Rhythm
from delivery.runner.room import Room, most_sends
from delivery.runner.sending import Sender
from delivery.runner.store import Store
from delivery.runner.waking import database_bell, is_child
from delivery.runner.work import Cycle, News, perform, without

logger = logging.getLogger(__name__)

STAY = 30.0  # seconds on duty
RENEW = 1.5  # seconds between renewals
SEND = 4.0  # seconds after a renewal began in which sends may start
SWEEP = 1.0
GRACE = 3.0  # seconds that sends may take to end once the process is told to stop
AGAIN = 0.025  # seconds until a slot is asked for again that another shift held
TRIES = 6
PRUNE = 5.0


class Shift:
    """Made and run in one thread; `stop` may be set from any."""

    def __init__(self, stop: threading.Event, stay: float = STAY, grace: float = GRACE) -> None:
        """On duty for `stay` seconds; once `stop` is set, sends under way may take `grace` seconds to end."""
        self.id = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._stop = stop
        self._stay = stay
        self._grace = grace
        self._senders: dict[int, Sender] = {}
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="shift-database")
        self._closing: set[asyncio.Task[None]] = set()
        self._seen = 0
        self._renewed = 0.0
        self._swept = 0.0
        self._pruned = 0.0
        self._renewing = 0.0
        self._again: dict[tuple[int, int], tuple[int, int]] = {}  # (target, slot) -> (seq, tries)
        self._again_at = 0.0
        self._ahead = 0  # of the database's clock before the monotonic one, microseconds
        self._alone = Alone(self.id)
        self._lost: dict[int, list[int]] = {}  # lane groups of senders that were dropped, to be given back

    async def run(self, relieved: Any) -> None:
        """Works until the time is up or `stop` is set; calls `relieved` when it takes no new work any more."""
        loop = asyncio.get_running_loop()
        self._rhythm = Rhythm(loop)
        self._store: Store = await loop.run_in_executor(self._executor, self._open_store)
        bell = Bell(f"{os.getppid() if is_child() else os.getpid()}-{self.id}")
        loop.add_reader(bell.socket, self._rung, bell)
        listener = await loop.run_in_executor(self._executor, database_bell)
        listening = -1
        if listener is not None:
            listening = listener.fileno()
            loop.add_reader(listening, self._notified, loop, listening, listener)
        self._room = Room(most_sends())
        self._services = services(most=self._room.most)
        try:
            await self._work(loop, relieved)
        except DATABASE_ERRORS:
            logger.exception("The shift lost the database; its leases lapse and another takes over.")
        finally:
            relieved()
            self._alone.close()
            self._rhythm.close()
            loop.remove_reader(bell.socket)
            bell.close()
            if listener is not None:
                loop.remove_reader(listening)
                listener.close()
            for sender in list(self._senders.values()):
                self._drop(sender)
            if self._closing:
                await asyncio.gather(*self._closing, return_exceptions=True)
            await self._services.http.close()
            await loop.run_in_executor(self._executor, self._close_store)
            self._executor.shutdown()

    # ── the loop ──

    async def _work(self, loop: asyncio.AbstractEventLoop, relieved: Any) -> None:
        ends = time.monotonic() + self._stay
        gone_by = float("inf")
        leaving = False
        while True:
            now = time.monotonic()
            if not leaving and (now >= ends or self._stop.is_set()):
                leaving = True
                relieved()
                for sender in self._senders.values():
                    sender.leave()
            if self._stop.is_set():
                gone_by = min(gone_by, now + self._grace)
            if leaving and now >= gone_by:
                await self._abandon(loop)
            if leaving and not (self._senders or self._lost):
                return
            cycle = self._plan(now, leaving)
            await self._apply(cycle, await self._perform(loop, cycle))
            await self._rhythm.rest(self._pause(gone_by))

    async def _abandon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Breaks off what does not end, and leaves it to the next shift as unknown."""
        cycle = Cycle(since=self._seen, leaving=True)
        for target, sender in self._senders.items():
            if not sender.idle:
                cycle.keep_flights.add(target)
            await sender.close()
            if sender.progress.outbox:
                cycle.outboxes.append(sender.progress.take_outbox())
            cycle.release[target] = (list(sender.progress.fences), sender.halted)
        await self._perform(loop, cycle)
        self._senders.clear()

    async def _perform(self, loop: asyncio.AbstractEventLoop, cycle: Cycle) -> News:
        """One round of database work; a target whose lease was taken over is dropped, the others' work is done."""
        while True:
            try:
                return await loop.run_in_executor(self._executor, perform, self._store, cycle)
            except LeaseLost as lost:
                logger.warning("%s", lost)
                sender = self._senders[lost.target]
                without(cycle, lost.target, list(sender.progress.fences))
                self._drop(sender)

    def _plan(self, now: float, leaving: bool) -> Cycle:
        """What the database is to do next, as plain values: the event loop goes on while it does."""
        cycle = Cycle(since=self._seen, leaving=leaving)
        cycle.lost, self._lost = self._lost, {}
        if self._again and now >= self._again_at:
            cycle.again = {name: seq for name, (seq, _) in self._again.items()}
        if now - self._renewed >= RENEW:
            cycle.renew, self._renewing = True, now
        if now - self._swept >= SWEEP:
            cycle.sweep, self._swept = True, now
        prune = now - self._pruned >= PRUNE
        if prune:
            self._pruned = now
        records = self._rhythm.begin() or leaving or cycle.sweep
        clock = self._clock()
        suspected = self._alone.turn(self._senders, now, leaving)
        for target, sender in self._senders.items():
            if sender is suspected:
                cycle.flights.append((target, [self._alone.begin(sender, now)], []))
            ask(cycle, sender, prune, records, clock)
        return cycle

    async def _apply(self, cycle: Cycle, news: News) -> None:
        for (target, heads, following), flight in zip(cycle.flights, news.flights, strict=True):
            if self._alone.is_of(heads):
                self._senders[target].progress.clear_alone(heads[0], flight)
            else:
                self._senders[target].progress.clear(heads, following, flight)
        if news.released:
            self._rhythm.hurry()
        for target in news.released:
            if target in self._senders:
                self._drop(self._senders[target])
        if news.renewed is not None:
            self._renewed = self._renewing
            for sender in list(self._senders.values()):
                if all((sender.facts.id, slot) in news.renewed for slot in sender.progress.fences):
                    sender.send_until = self._renewed + SEND
                    if any(news.renewed[sender.facts.id, slot] for slot in sender.progress.fences):
                        sender.leave()
                        self._rhythm.hurry()
                else:
                    logger.warning(
                        "Target %s: a lease was taken over before it was renewed.", sender.facts.id
                    )
                    self._lost[sender.facts.id] = list(sender.progress.fences)
                    self._drop(sender)
                    self._rhythm.hurry()
        self._seen = max(self._seen, news.seen)
        if news.ahead is not None:
            self._ahead = news.ahead
        self._hear_gates(cycle, news)
        self._ask_again(cycle, news)
        if not cycle.leaving:
            for claimed in news.claimed:
                await self._take(claimed, news.facts[claimed.target], news.gates.get(claimed.target))
            if news.facts_changed is not None:
                self._reload(cycle, news.facts_changed)
        for target, slot, seq in news.newest:
            holder = self._senders.get(target)
            if holder is not None and slot in holder.progress.fences:
                known = holder.progress.newest
                known[slot] = max(known.get(slot, 0), seq)
        for target, (items, more, read) in news.events.items():
            reader = self._reader(cycle, target)
            if reader is not None:
                reader.more = more
                reader.progress.offer(items, news.opened.get(target))
                for lane, seq in read.items():
                    reader.progress.read_up_to(lane, seq)
        for target, held in news.held:
            reader = self._reader(cycle, target)
            if reader is not None:
                reader.progress.offer_held(held)
                if len(held) >= DUE:
                    # There are more: they come when these are done.
                    reader.next_due = self._clock() + 20_000
        for target in news.drained:
            reader = self._reader(cycle, target)
            if reader is not None:
                reader.leave()  # The next claim brings the new order into force.
        for sender in self._senders.values():
            sender.pump()
            progress = sender.progress
            if sender.asks_for_places or progress.to_drain or (progress.ready and sender.wants_more):
                self._rhythm.hurry()
            elif progress.outbox:
                self._ended(sender)
            if sender.more and not sender.quiet and sender.roomy:
                self._rhythm.hurry()
            if sender.quiet and sender.idle:
                self._rhythm.hurry()
        if news.claimed:
            self._rhythm.hurry()

    def _hear_gates(self, cycle: Cycle, news: News) -> None:
        """What all shifts know of breakers and rates, for the targets that were asked about."""
        clock = self._clock()
        for target in news.gates.keys() | news.drawn.keys():
            sender = self._reader(cycle, target) or self._senders.get(target)
            if sender is None:
                continue
            if target in news.gates:
                sender.throttle.learn(news.gates[target], clock)
            if sender is self._reader(cycle, target):
                if target in news.probes:
                    sender.throttle.may_probe(news.probes[target])
                if target in news.drawn and sender.throttle.pace is not None:
                    sender.throttle.pace.add(*news.drawn[target], cycle.draws[target][1], clock)
            sender.rethink()
        for target, share in news.shares.items():
            if (sender := self._reader(cycle, target)) is not None:
                if share is None:
                    sender.leave()  # The others take its lane groups.
                    self._rhythm.hurry()
                else:
                    sender.allot(share)

    def _ask_again(self, cycle: Cycle, news: News) -> None:
        """Keeps the slots that another shift held a few tries long: at a change of shifts they are free in a moment."""
        for name in cycle.again:
            seq, tries = self._again.pop(name)
            if name in news.leased and tries < TRIES:
                self._again[name] = (seq, tries + 1)
        for name, seq in news.leased.items():
            if name not in cycle.again:
                self._again[name] = (seq, 1)
        if self._again:
            self._again_at = time.monotonic() + AGAIN

    def _ended(self, sender: Sender) -> None:
        """A send ended: what was waiting for it is done at once, its record may wait for others."""
        if sender.needs_round:
            self._rhythm.hurry()
        else:
            self._rhythm.note()

    # ── targets ──

    async def _take(self, claimed: Claimed, facts: Facts, gate: Gate | None) -> None:
        sender = self._senders.get(claimed.target)
        if sender is None:
            progress = Progress(facts.id, facts.policy, claimed.drains)
            sender = Sender(facts, progress, self._services, self._ended, self._clock, self._room)
            sender.send_until = self._renewed + SEND
            self._senders[facts.id] = sender
            await sender.open()
            if gate is not None:
                sender.throttle.begin(gate, self._clock())
            sender.allot(claimed.places)
        sender.progress.take(
            claimed.slot, claimed.fence, claimed.cursors, claimed.skip, claimed.attempts, claimed.suspects
        )
        if claimed.parked:
            sender.next_due = 0  # Some may be due already, and need not wait for the next sweep.
        for key, seq, blocks, _ in claimed.parked:
            sender.progress.park(key, seq, bool(blocks))

    def _reload(self, cycle: Cycle, facts: dict[int, Facts]) -> None:
        """Rules or targets changed: those that run on do so with their new revision, the others are left."""
        for target in cycle.reading:
            sender, new = self._reader(cycle, target), facts.get(target)
            if sender is None:
                continue
            if (
                new is None
                or new.state != "running"
                or new.revision != sender.facts.revision
                # It granted itself another rate, which is no revision.
                or new.policy.rate != sender.facts.policy.rate
            ):
                # The next claim, in a moment, starts it with the new revision; what is under way ends with the old.
                sender.leave()

    def _reader(self, cycle: Cycle, target: int) -> Sender | None:
        """Who asked for what the round read for `target`. A sender that took its place begins at older cursors."""
        sender = self._senders.get(target)
        return sender if sender is not None and sender.progress is cycle.reading.get(target) else None

    def _drop(self, sender: Sender) -> None:
        self._senders.pop(sender.facts.id, None)
        task = asyncio.get_running_loop().create_task(sender.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    # ── the thread of the database ──

    def _open_store(self) -> Store:
        from delivery.runner.database import Database

        store = Store(Database(), self.id)
        self._seen = store.begin(socket.gethostname(), os.getpid())
        self._ahead = store.database.ahead()
        return store

    def _close_store(self) -> None:
        try:
            self._store.end()
        except Exception:
            logger.debug("The shift could not sign off.", exc_info=True)
        finally:
            self._store.database.close()

    def _clock(self) -> int:
        """The database's clock, which one machine's clock that is set does not move."""
        return time.monotonic_ns() // 1000 + self._ahead

    # ── waking ──

    def _pause(self, gone_by: float) -> float:
        """Seconds until something is to be done without being woken; `gone_by`: when it must have left."""
        now = time.monotonic()
        pause = min(self._renewed + RENEW, self._swept + SWEEP, gone_by) - now
        if self._again:
            pause = min(pause, self._again_at - now)
        if self._alone.waits(self._senders):
            pause = min(pause, max(self._alone.rests_until - now, 0.005))
        clock = self._clock()
        for sender in self._senders.values():
            if sender.next_due is not None:
                pause = min(pause, (sender.next_due - clock) / 1_000_000)
            if (wakes_in := sender.wakes_in) is not None:
                pause = min(pause, wakes_in)
        return max(0.001, pause)

    def _rung(self, bell: Bell) -> None:
        if bell.hush():
            self._stop.set()
            self._rhythm.hurry()
        self._rhythm.ring()

    def _notified(self, loop: asyncio.AbstractEventLoop, listening: int, listener: Any) -> None:
        try:
            for _ in listener.notifies(timeout=0):
                pass
        except DATABASE_ERRORS as error:
            logger.warning("The database does not ring any more; the shift looks by itself: %s", error)
            loop.remove_reader(listening)
        self._rhythm.ring()
