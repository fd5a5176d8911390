"""Which tests of a parallel run (`make test`, pytest-xdist) one process keeps to itself, and which come first.

A file's tests stay together, so that what they share is made once. Tests that kill processes or look at the clock
stay together too, so that they never get in each other's way: whoever writes one adds its file to BY_THE_CLOCK.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
BY_THE_CLOCK = (
    "chaos/test_kill.py",
    "integration/shifts/test_deaths.py",
    "integration/shifts/test_relief.py",
    "integration/test_ingest_http.py",
    "integration/test_log_cursor.py",
    "integration/test_log_write_lock.py",
    "integration/test_log_writer.py",
    "integration/test_up.py",
)
# They kill and wait as well, in a process of their own: they bear what the others do to the machine meanwhile.
WITH_TIME = ("chaos/test_faults.py", "integration/shifts/test_poison.py", "integration/test_brokers.py")
# The longest first: a group that begins last is what everybody waits for.
ORDER = ("by the clock", "with time", "browser", "conformance", "integration", "chaos", "unit")


def group_of(place: str) -> str:
    """The group of a file, named by its path below `tests`: its tests run one after the other in one process."""
    if place in BY_THE_CLOCK:
        return "by the clock"
    if place in WITH_TIME:
        return "with time"
    if place.startswith("conformance/"):
        return "conformance"  # They share the npm packages, which the first of them installs.
    return place


def arrange(items: list[pytest.Item]) -> None:
    """Sorts the groups by ORDER; the order within a group stays."""
    places = {name: at for at, name in enumerate(ORDER)}
    items.sort(key=lambda item: places[group_of(_place(item.nodeid)).partition("/")[0]])


def scheduling(config: pytest.Config, log: Any) -> Any:
    """What hands the tests to the processes, a group at a time."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(_place(nodeid))

    return ByGroup(config, log)


def _place(nodeid: str) -> str:
    return nodeid.partition("::")[0].removeprefix("tests/")
