"""How the shifts that serve one target share its limit of sends under way, so that the limit holds for the target.

Each shift has so many places, written down in the database; their sum never exceeds the limit. A shift that has more than
its fair part uses fewer at once, and gives the others up when what is under way there has ended; only then another gets
them. The limit is the target's, or less while it starts slowly after an outage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from delivery.log.schema import SLOTS
from delivery.runner.lease import LEASE
from delivery.runner.policy import Policy
from delivery.runner.view import View

KEPT_FREE = 4
"""A quarter of the limit at most is kept free for shifts that may come, so that they need not wait for places."""
LOCK = 7041  # the class of PostgreSQL's advisory locks of targets' places


class Use(NamedTuple):
    """What a shift has of a target: its limit is `most`, its own part `share`; `under_way` places are taken.

    `breaker`: it has one, and may start slowly after an outage. `at_once`: it asks, whoever else came or went.
    """

    most: int
    share: int
    under_way: int
    breaker: bool
    at_once: bool


def fair(most: int, owners: Sequence[str], me: str, spare: int = 0) -> int:
    """The part of `me` when `most` is divided among `owners`; `spare`: how many more may come."""
    base, extra = divmod(most - min(most // KEPT_FREE, spare), len(owners))
    return base + (sorted(owners).index(me) < extra)


def moved(goal: int, mine: int, used: int, free: int) -> int:
    """The places to be written down, having `mine` of which `used` are: up as far as `free` goes, down as far as they end."""
    if goal >= mine:
        return min(goal, max(mine, free))
    return max(goal, min(mine, used))


class Sharing(View):
    """The rows of runner_place: (target, owner, places)."""

    def crowded(self) -> set[int]:
        """The targets that several shifts have places of."""
        return {
            target
            for (target,) in self.database.rows(
                "SELECT target FROM runner_place GROUP BY target HAVING COUNT(*) > 1"
            )
        }

    def shifts(self) -> int:
        """How many shifts live, this one included."""
        alive = self.database.now() - LEASE
        return int(self.database.rows("SELECT COUNT(*) FROM runner_shift WHERE seen_at > %s", [alive])[0][0])

    def share(self, target: int, use: Use, shifts: int) -> int | None:
        """This shift's part by now: how many sends it may have under way; None when there are too many to share.

        `shifts`: how many live.
        """
        with self.database.transaction():
            self._lock_places(target)
            others = self._others(target, self.database.now())
            mine = self._mine(target)
            most = self._limit(target, use.most, use.breaker)
            owners = [*others, self.owner]
            goal = fair(most, owners, self.owner, max(0, shifts - len(owners)))
            if goal == 0 and use.most < len(owners):
                return None
            free = max(0, most - sum(others.values()))
            places = moved(goal, mine, max(use.share, use.under_way), free)
            if places != mine:
                self._write_places(target, places)
        return min(goal, places)

    def _join(self, target: int, policy: Policy, now: int) -> int | None:
        """The first places of a shift that takes lane groups of a target; None when there are others enough.

        Inside a transaction that takes leases.
        """
        self._lock_places(target)
        others = self._others(target, now)
        if len(others) >= policy.max_in_flight:
            return None  # They take all its lane groups: one more would have no place.
        most = self._limit(target, policy.max_in_flight, policy.breaker is not None)
        owners = [*others, self.owner]
        goal = fair(most, owners, self.owner, max(0, self.shifts() - len(owners)))
        places = min(goal, max(0, most - sum(others.values())))
        self._write_places(target, places)
        return places

    def _wanted_slots(self, slots: Sequence[int], policy: Policy) -> Sequence[int]:
        """Where fewer may be under way than there are lane groups, one shift takes what is free of them."""
        return range(SLOTS) if policy.max_in_flight < SLOTS else slots

    def _leave(self, target: int) -> None:
        """Gives the places back once no lane group is held. Inside a transaction that has locked the places."""
        self.database.run(
            "DELETE FROM runner_place WHERE target = %s AND owner = %s AND NOT EXISTS "
            "(SELECT 1 FROM runner_slot s WHERE s.target = runner_place.target AND s.owner = runner_place.owner)",
            [target, self.owner],
        )

    def _closed(self, target: int, places: int) -> None:
        """A breaker closed: this shift goes on with so many, the others have none. Inside a transaction."""
        self.database.run("UPDATE runner_place SET places = 0 WHERE target = %s", [target])
        self._write_places(target, places)

    def _grown(self, target: int, more: int) -> None:
        """So many were taken by a target that starts slowly. Inside a transaction."""
        self.database.run(
            "UPDATE runner_place SET places = places + %s WHERE target = %s AND owner = %s",
            [more, target, self.owner],
        )

    def _mine(self, target: int) -> int:
        found = self.database.rows(
            "SELECT places FROM runner_place WHERE target = %s AND owner = %s", [target, self.owner]
        )
        return int(found[0][0]) if found else 0

    def _others(self, target: int, now: int) -> dict[str, int]:
        """The places of the living others that hold lane groups."""
        return dict(
            self.database.rows(
                "SELECT p.owner, p.places FROM runner_place p WHERE p.target = %s AND p.owner <> %s AND EXISTS "
                "(SELECT 1 FROM runner_slot s WHERE s.target = p.target AND s.owner = p.owner AND s.until >= %s)",
                [target, self.owner, now],
            )
        )

    def _limit(self, target: int, most: int, slows: bool) -> int:
        if not slows:
            return most
        found = self.database.rows("SELECT slow FROM runner_gate WHERE target = %s AND slow > 0", [target])
        return min(most, int(found[0][0])) if found else most

    def _write_places(self, target: int, places: int) -> None:
        self.database.run(
            "INSERT INTO runner_place (target, owner, places) VALUES (%s, %s, %s) "
            "ON CONFLICT (target, owner) DO UPDATE SET places = excluded.places",
            [target, self.owner, places],
        )

    def _lock_places(self, target: int) -> None:
        if self.database.vendor != "sqlite":
            self.database.rows("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, target % 2**31])
