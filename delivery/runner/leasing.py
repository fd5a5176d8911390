"""Leases: which lane groups have work, who holds them, and taking, renewing and giving them back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from delivery.log.schema import CURSORS, LANES_PER_SLOT, SLOTS
from delivery.runner import attempts, held
from delivery.runner.lease import LEASE, Claimed
from delivery.runner.policy import Policy
from delivery.runner.sharing import Sharing
from delivery.tracking.words import State


class Incomplete(Exception):
    """Some of the slots that are needed together are another shift's."""


class Leasing(Sharing):
    """Leases with fences, by the database's clock."""

    def routed_since(self, seq: int) -> list[tuple[int, int, int]]:
        """Hints newer than `seq`: (target, slot, newest seq routed there). Those that are held come with `released`."""
        return self.database.rows(
            f"SELECT target, lanes, seq FROM log_ready WHERE seq > %s AND target NOT IN ({held.TARGETS}) "
            "ORDER BY seq",
            [seq],
        )

    def released(self) -> list[tuple[int, int, int]]:
        """How far targets may be read that start in the past, or did lately: (target, slot, newest seq)."""
        return self.database.rows(
            f"SELECT r.target, r.lanes, {held.NEWEST} FROM log_ready r {held.JOIN} WHERE r.target IN "
            "(SELECT target FROM delivery_backfill WHERE ended_at IS NULL OR ended_at > %s)",
            [self.database.now() - held.LATELY],
        )

    def open_slots(self) -> list[tuple[int, int, int]]:
        """Every slot that has work and no living lease: (target, slot, newest seq). Hints and due times only."""
        least = f"{'min' if self.database.vendor == 'sqlite' else 'least'}({', '.join(f's.{c}' for c in CURSORS)})"
        now = self.database.now()
        return self.database.rows(
            f"SELECT r.target, r.lanes, {held.NEWEST} FROM log_ready r {held.JOIN} "
            "JOIN rules_target t ON t.id = r.target "
            "LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
            f"WHERE t.state = 'running' AND (s.target IS NULL OR (s.until < %s AND {least} < {held.NEWEST})) "
            "UNION SELECT e.target, e.lane / %s, 0 FROM runner_exception e JOIN rules_target t ON t.id = e.target "
            "LEFT JOIN runner_slot s ON s.target = e.target AND s.lanes = e.lane / %s "
            "WHERE t.state = 'running' AND e.due_at <= %s AND (s.target IS NULL OR s.until < %s)",
            [now, LANES_PER_SLOT, LANES_PER_SLOT, now, now],
        )

    def newest(self, target: int) -> list[tuple[int, int]]:
        """The hints of one target: (slot, newest seq)."""
        return self.database.rows(
            f"SELECT r.lanes, {held.NEWEST} FROM log_ready r {held.JOIN} WHERE r.target = %s", [target]
        )

    def leased(self, slots: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of `slots`, (target, slot), that a living shift holds. Reads only: no lock is taken for them."""
        wanted = set(slots)
        targets = sorted({target for target, _ in wanted})
        taken: set[tuple[int, int]] = set()
        for at in range(0, len(targets), 500):
            part = targets[at : at + 500]
            rows = self.database.rows(
                f"SELECT target, lanes FROM runner_slot WHERE until >= %s AND target IN ({', '.join(['%s'] * len(part))})",
                [self.database.now(), *part],
            )
            taken.update((target, slot) for target, slot in rows)
        return taken & wanted

    def claim(self, target: int, slots: Iterable[int], fresh: bool, policy: Policy) -> list[Claimed]:
        """Takes the leases of those `slots` that nobody holds, with a new fence each. Order "all" takes all or none.

        So does a change of order: whoever has all lane groups drains what was parked under the former order, and only
        then the new one is in force. `fresh`: this shift holds nothing of the target, so flights in its own name are
        from before, too.
        """
        try:
            with self.database.transaction():
                return self._claim(target, sorted(slots), fresh, policy)
        except Incomplete:
            return []

    def drainable(self, target: int, mode: str) -> bool:
        """Whether something was parked under the order `mode` that can come to an end without a person.

        What waits behind a dead letter cannot; it has its row, and waits by the rules of the order that follows.
        """
        dead = "d.target = e.target AND d.state = %s AND d.blocks = 1 AND d.seq < e.seq"
        chain = " AND d.key = e.key" if mode == "key" else ""
        return bool(
            self.database.rows(
                "SELECT 1 FROM runner_exception e WHERE e.target = %s AND (e.state IN (%s, %s) OR (e.state = %s "
                f"AND NOT EXISTS (SELECT 1 FROM runner_exception d WHERE {dead}{chain}))) LIMIT 1",
                [target, State.RETRY, State.DISCARD, State.WAITING, State.DEAD],
            )
        )

    def renew(self) -> dict[tuple[int, int], bool]:
        """Renews every lease this shift still holds and tells that it lives; returns those renewed: (target, slot).

        With each, whether retention asks for it: then the target is to be left.

        One that lapsed and that nobody took is still its own: the fence is as it was, so nobody else did anything there.
        """
        with self.database.transaction():
            now = self.database.now()
            rows = self.database.rows(
                "UPDATE runner_slot SET until = %s WHERE owner = %s RETURNING target, lanes, wanted",
                [now + LEASE, self.owner],
            )
            self.database.run("UPDATE runner_shift SET seen_at = %s WHERE id = %s", [now, self.owner])
        return {(target, slot): wanted > now for target, slot, wanted in rows}

    def release(self, target: int, slots: Iterable[int], forget_flights: bool) -> None:
        """Gives leases back. `forget_flights`: nothing of theirs is in flight any more."""
        with self.database.transaction():
            # First, as whoever claims and whoever reports does: or two of them wait for each other in a circle.
            self._lock_places(target)
            for slot in slots:
                self.database.run(
                    "UPDATE runner_slot SET owner = NULL, until = 0 WHERE target = %s AND lanes = %s AND owner = %s",
                    [target, slot, self.owner],
                )
            self._leave(target)
            self._give_back_probe(target)
            if forget_flights:
                self.flights.forget(target)
            else:
                self.flights.abandon(target)

    def _claim(self, target: int, slots: Sequence[int], fresh: bool, policy: Policy) -> list[Claimed]:
        if not self._is_current(target, policy):
            return []
        now = self.database.now()
        places = self._join(target, policy, now) if fresh else 0
        if places is None:
            return []
        former = self._former_mode(target, policy)
        whole = policy.order == "all" or former is not None
        leased: list[tuple[int, int, tuple[int, ...]]] = []
        for slot in range(SLOTS) if whole else self._wanted_slots(slots, policy):
            row = self.database.rows(
                "INSERT INTO runner_slot (target, lanes, owner, fence, until, mode) VALUES (%s, %s, %s, 1, %s, %s) "
                "ON CONFLICT (target, lanes) DO UPDATE SET owner = excluded.owner, until = excluded.until, "
                "fence = runner_slot.fence + 1, mode = COALESCE(runner_slot.mode, excluded.mode) "
                f"WHERE runner_slot.until < %s AND runner_slot.wanted < %s RETURNING fence, {', '.join(CURSORS)}",
                [target, slot, self.owner, now + LEASE, former or policy.order, now, self._unwanted(now)],
            )
            if row:
                leased.append((slot, row[0][0], row[0][1:]))
        if whole and len(leased) < SLOTS:
            raise Incomplete
        drains = former if former is not None and self._must_drain(target, former, policy) else None
        claimed = [
            self._take_over(target, slot, fence, cursors)._replace(drains=drains, places=places)
            for slot, fence, cursors in leased
        ]
        if fresh and claimed:
            self._give_back_probe(target)
        elif fresh:
            self._leave(target)
        if claimed:
            self.flights.recover(target, claimed, now, fresh, policy.draining(drains) if drains else policy)
            claimed = [one._replace(suspects=self.suspects.of(one)) for one in claimed]
            self._free_heads(target, claimed, policy.draining(drains) if drains else policy, now)
        return claimed

    def _unwanted(self, now: int) -> int:
        """Lane groups may be taken that are wanted until before this time."""
        return now

    def _give_back_probe(self, target: int) -> None:
        """Whoever holds nothing of a target has no probe of its own under way there."""
        self.database.run(
            "UPDATE runner_gate SET prober = NULL WHERE target = %s AND prober = %s", [target, self.owner]
        )

    def _is_current(self, target: int, policy: Policy) -> bool:
        """Whether the target still has the order of `policy`, held until the transaction ends: it says what is in force."""
        share = "" if self.database.vendor == "sqlite" else " FOR SHARE"
        found = self.database.rows(f'SELECT "order" FROM rules_target WHERE id = %s{share}', [target])
        return bool(found) and found[0][0] == policy.order

    def _former_mode(self, target: int, policy: Policy) -> str | None:
        """The order in force, when it is not the target's: all lane groups of a target have the same."""
        found = self.database.rows(
            "SELECT mode FROM runner_slot WHERE target = %s AND mode <> %s LIMIT 1", [target, policy.order]
        )
        return str(found[0][0]) if found else None

    def _must_drain(self, target: int, former: str, policy: Policy) -> bool:
        """Whether something is to be finished by the rules of `former`; if nothing is, the target's order is in force."""
        if policy.order == "none":
            self.database.run(
                "UPDATE runner_exception SET blocks = 0 WHERE target = %s AND state = %s AND blocks = 1",
                [target, State.DEAD],
            )
        if self.drainable(target, former):
            return True
        self.database.run("UPDATE runner_slot SET mode = %s WHERE target = %s", [policy.order, target])
        return False

    def _take_over(self, target: int, slot: int, fence: int, cursors: tuple[int, ...]) -> Claimed:
        first, least = slot * LANES_PER_SLOT, min(cursors)
        held = self.database.rows(
            "SELECT key, seq, blocks, state FROM runner_exception "
            "WHERE target = %s AND lane >= %s AND lane < %s AND (blocks = 1 OR state <> %s OR seq > %s) ORDER BY seq",
            [target, first, first + LANES_PER_SLOT, State.DEAD, least],
        )
        tried, ended = attempts.above(self.database, target, least)
        skip = ended | {row[1] for row in held if row[1] > least}
        # Dead letters that nobody waits for may be any number.
        parked = [row for row in held if row[2] or row[3] != State.DEAD]
        return Claimed(target, slot, fence, cursors, parked, skip, tried)

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
