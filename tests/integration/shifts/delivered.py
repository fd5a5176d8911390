"""What tests of shifts share: events of forty subjects, a shift in a process, what must be true of a sink."""

from __future__ import annotations

import time
from collections.abc import Callable

from delivery.log.schema import SLOTS
from tests.integration.sink import Sink, execute, rows
from tests.processes import eventually
from tests.recorded import attempts

SUBJECTS = [f"s{n}" for n in range(40)]

A_SHIFT = """
import sys, threading
import uvloop
from delivery.runner.shift import Shift
while True:  # as a worker does: a shift that lost the database is followed by another
    shift = Shift(threading.Event(), 600)
    print(shift.id, flush=True)
    uvloop.run(shift.run(lambda: None))
"""


def named(first: int, last: int) -> list[tuple[str, str]]:
    return [(f"e{n}", SUBJECTS[n % len(SUBJECTS)]) for n in range(first, last)]


def in_order(sink: Sink, count: int) -> None:
    """Each subject's events were first taken in the order they were published, all of them."""
    assert set(sink.taken) == {f"e{n}" for n in range(count)}
    for subject, taken in sink.by_subject().items():
        assert list(dict.fromkeys(taken)) == [name for name, s in named(0, count) if s == subject]


def unrecorded(target: int, sink: Sink) -> set[tuple[str, int]]:
    """Requests, (id, attempt), without an attempt on record."""
    names = dict(rows("SELECT seq, ce_id FROM log_event"))
    recorded = {(names[one.seq], one.number) for one in attempts(rows) if one.target == target}
    return {(seen.id, seen.attempt) for seen in sink.seen} - recorded


def to_be_shared(target: int) -> None:
    """Keeps the target's lane groups leased until `share`, so that two shifts find them all at once."""
    until = time.time_ns() // 1000 + 600_000_000
    for slot in range(SLOTS):
        execute(
            "INSERT INTO runner_slot (target, lanes, owner, fence, until, mode) VALUES (%s, %s, 'nobody', 1, %s, 'key')",
            target, slot, until,
        )  # fmt: skip


def share(target: int, refill: Callable[[], None] = lambda: None) -> None:
    """Lets two shifts have them: each sweep takes its share of what is open and leaves the rest to the others.

    On a loaded machine one of them may have taken all before the other looked: then it is asked to give them back, as
    retention asks, and both try again. `refill` publishes for each try: what has nothing to deliver nobody takes.
    """
    eventually(lambda: rows("SELECT COUNT(*) FROM runner_shift") == [(2,)], "both shifts live")
    eventually(lambda: _shared(target, refill), "both serve the target", 90)


def _shared(target: int, refill: Callable[[], None]) -> bool:
    refill()
    time.sleep(
        0.5
    )  # Whoever hears of something new takes all that it hears of: only what is found by looking is shared.
    execute("UPDATE runner_slot SET until = 0, wanted = 0 WHERE target = %s AND owner = 'nobody'", target)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        if len(owners(target)) == 2:
            return True
        time.sleep(0.02)
    until = time.time_ns() // 1000 + 600_000_000
    execute("UPDATE runner_slot SET wanted = %s WHERE target = %s", until, target)
    eventually(lambda: owners(target) == set(), "whoever has all of it gives it back")
    execute("UPDATE runner_slot SET owner = 'nobody', until = %s WHERE target = %s", until, target)
    return len(owners(target)) == 2


def owners(target: int) -> set[str]:
    """The shifts that hold leases of the target."""
    found = rows("SELECT DISTINCT owner FROM runner_slot WHERE target = %s AND owner IS NOT NULL", target)
    return {owner for (owner,) in found} - {"nobody"}
