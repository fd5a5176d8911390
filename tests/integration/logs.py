"""Logs for the tests of what all of them keep: `store` returns when readers see what was appended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from delivery.log.entry import Entry
from delivery.log.interface import Log, open_log
from tests.events import current_versions

LOGS = ["database"]


@dataclass
class LogUnderTest:
    """A log, and the ids of two buses it may be given events of."""

    log: Log
    buses: list[int]

    def store(self, groups: Sequence[Sequence[Entry]], settle: bool = True) -> None:
        """Appends `groups`; with `settle`, returns once they can be read."""
        self.log.append(groups, current_versions())


@contextmanager
def log_under_test(kind: str, buses: list[int]) -> Iterator[LogUnderTest]:
    """The log of `kind`, one of LOGS, before the default database."""
    yield LogUnderTest(open_log(), buses)
