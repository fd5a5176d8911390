"""Everything a shift asks of the database."""

from __future__ import annotations

from delivery.runner.database import Database
from delivery.runner.gating import Gating
from delivery.runner.leasing import Leasing
from delivery.runner.reading import Reading
from delivery.runner.recording import Recording


class Store(Leasing, Reading, Recording, Gating):
    """One shift's rows: its leases, what it reads and what it records. All calls come from one thread."""

    def __init__(self, database: Database, owner: str) -> None:
        super().__init__(database, owner)
        self.seen_rules = -1

    def begin(self, host: str, pid: int) -> int:
        """Tells that the shift lives; returns the log's head, from which on hints are news."""
        with self.database.transaction():
            now = self.database.now()
            self.database.run("DELETE FROM runner_shift WHERE seen_at < %s", [now - 60_000_000])
            self.database.run(
                "DELETE FROM runner_place WHERE owner NOT IN (SELECT id FROM runner_shift) "
                "AND owner NOT IN (SELECT owner FROM runner_slot WHERE owner IS NOT NULL)"
            )
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
