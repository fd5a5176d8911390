"""One shift's view of the database; leasing, reading and recording add what each is for."""

from __future__ import annotations

from delivery.runner.database import Database
from delivery.runner.flights import Flights
from delivery.runner.suspects import Suspects


class View:
    """`owner` is the shift's id. All calls come from one thread."""

    def __init__(self, database: Database, owner: str) -> None:
        self.database = database
        self.owner = owner
        self.suspects = Suspects(database)
        self.flights = Flights(database, owner, self.suspects)
