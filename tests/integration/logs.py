"""Logs for the tests of what all of them keep: `store` returns when readers see what was appended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest

from delivery.log.entry import Entry
from delivery.log.interface import Log, open_log
from tests import kafka
from tests.events import current_versions

LOGS = [
    "database",
    *(pytest.param(name, marks=pytest.mark.service(f"kafka-{name}")) for name in kafka.BROKERS),
]


@dataclass
class LogUnderTest:
    """A log, and the ids of two buses it may be given events of."""

    log: Log
    buses: list[int]
    settle: Callable[[int], None] = lambda appended: None  # called with how many events were appended so far
    appended: int = field(default=0)

    def store(self, groups: Sequence[Sequence[Entry]], settle: bool = True) -> None:
        """Appends `groups`; with `settle`, returns once they can be read."""
        self.log.append(groups, current_versions())
        self.appended += sum(map(len, groups))
        if settle:
            self.settle(self.appended)


@contextmanager
def log_under_test(kind: str, buses: dict[int, str]) -> Iterator[LogUnderTest]:
    """The log of `kind`, one of LOGS, before the default database. `buses`: names by id."""
    if kind == "database":
        yield LogUnderTest(open_log(), list(buses))
        return
    from delivery.log.kafka.address import Address
    from delivery.log.kafka.log import KafkaLog
    from delivery.router.work import Router

    with kafka.servers_of(kind) as servers:
        address = Address(servers, partitions=4)
        with closing(Router(address)) as router:

            def settle(appended: int) -> None:
                ends = time.monotonic() + 30
                while positions() < appended:
                    assert time.monotonic() < ends, f"{positions()} of {appended} records were routed"
                    router.step(0.05)

            yield LogUnderTest(KafkaLog(address, buses.__getitem__, 1024 * 1024), list(buses), settle)


def positions() -> int:
    """How many records the router has passed, in all partitions together."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(SUM(next), 0) FROM log_partition")
        return int(cursor.fetchone()[0])
