"""Faults of processes that are not killed: they stand still for a while (SIGSTOP), also while they hold the write lock."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from tests.chaos.trial import ARRIVES_WITHIN, Trial
from tests.processes import alive, eventually

SHORTEST, USUAL, LONGEST = 3.0, 4.0, 20.0  # seconds


@contextmanager
def stopped(run: Trial, pids: Sequence[int]) -> Iterator[None]:
    """Those processes stand still inside the block."""
    began = time.time_ns() // 1000
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        run.stood_still.append((began, time.time_ns() // 1000))


def happen(run: Trial, victim: str) -> None:
    """`victim` (one of `run.victims`, or "all") stands still for 3 to 20 s."""
    with stopped(run, run.pids(victim)):
        time.sleep(run.dice.triangular(SHORTEST, LONGEST, USUAL))


def stop_who_writes(run: Trial) -> None:
    """The worker stands still with SQLite's write lock: nothing is acknowledged until it goes on or dies.

    By chance it goes on, or is killed.
    """
    (worker,) = run.pids("worker")
    lock = os.stat(run.town.var / "signalbox.sqlite3.lock").st_ino
    refused = run.load.refused[503]
    with _stopped_while(run, worker, lock):
        # What was committed before may still be answered.
        time.sleep(0.5)
        acknowledged = len(run.load.acknowledged)
        eventually(
            lambda: run.load.refused[503] > refused, "publishers are told to come again", ARRIVES_WITHIN
        )
        assert len(run.load.acknowledged) == acknowledged, "something was acknowledged without the write lock"
        if run.dice.random() < 0.5:
            run.kill("worker")


@contextmanager
def _stopped_while(run: Trial, pid: int, inode: int) -> Iterator[None]:
    """`pid` stands still at a moment at which it holds the lock of that inode."""

    def caught() -> bool:
        time.sleep(run.dice.uniform(0, 0.02))
        os.kill(pid, signal.SIGSTOP)
        # The signal takes effect when the process next leaves the kernel.
        eventually(lambda: _is_stopped(pid) or not alive(pid), "it stands still")
        if _holds(pid, inode):
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    eventually(caught, "the worker is stopped while it holds the write lock", ARRIVES_WITHIN)
    began = time.time_ns() // 1000
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        run.stood_still.append((began, time.time_ns() // 1000))


def _is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def _holds(pid: int, inode: int) -> bool:
    """Whether a process has a flock on the file of that inode (proc_locks(5))."""
    with open("/proc/locks") as file:
        fields = [line.split() for line in file]
    return any(
        kind == "FLOCK" and int(owner) == pid and place.endswith(f":{inode}")
        for _, kind, _, _, owner, place, *_ in (line for line in fields if line[1] != "->")
    )
