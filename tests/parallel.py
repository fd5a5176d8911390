"""Which tests of a parallel run (`make test`, pytest-xdist) one process keeps to itself, and which come first.

A file's tests stay together, so that what they share is made once. Tests that kill processes or look at the clock
stay together too, so that they never get in each other's way: whoever writes one adds its file to BY_THE_CLOCK.
"""

from __future__ import annotations

from pathlib import Path

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
# The longest first: a group that begins last is what everybody waits for.
ORDER = ("by the clock", "browser", "conformance", "integration", "chaos", "unit")


def group_of(path: Path) -> str:
    """The name of the group whose tests run one after the other in one process."""
    place = path.relative_to(TESTS)
    if place.as_posix() in BY_THE_CLOCK:
        return "by the clock"
    if place.parts[0] == "conformance":
        return "conformance"  # They share the npm packages, which the first of them installs.
    return place.with_suffix("").as_posix()


def arrange(items: list[pytest.Item]) -> None:
    """Marks every test with its group and sorts the groups; the order within a group stays."""
    places = {name: at for at, name in enumerate(ORDER)}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))
    items.sort(key=lambda item: places.get(group_of(item.path).partition("/")[0], len(ORDER)))
