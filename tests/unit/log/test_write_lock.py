"""The kernel lock before every write on SQLite."""

from __future__ import annotations

import fcntl
import os
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.log.sqlite_backend.lock import LockTimeout, WriteLock
from tests.processes import eventually


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock, asked through an open file of its own."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def in_child(work: Callable[[], None]) -> int:
    """Runs `work` in a forked child and returns its exit status: 0 when it raised nothing."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "database.lock"


def test_it_is_held_from_acquire_to_release(path: Path) -> None:
    lock = WriteLock(str(path), 1)
    lock.acquire()
    assert not is_free(path)
    lock.release()
    assert is_free(path)
    lock.close()


def test_nested_it_is_free_after_the_last_release(path: Path) -> None:
    lock = WriteLock(str(path), 1)
    lock.acquire()
    lock.acquire()
    lock.release()
    assert not is_free(path)
    lock.release()
    assert is_free(path)
    lock.release()  # One too many changes nothing.
    lock.acquire()
    assert not is_free(path)
    lock.close()
    assert is_free(path)


def test_two_connections_of_one_process_exclude_each_other(path: Path) -> None:
    holder, other = WriteLock(str(path), 1), WriteLock(str(path), 0.05)
    holder.acquire()
    with pytest.raises(LockTimeout, match=r"held .*database\.lock for 0\.05 seconds"):
        other.acquire()
    holder.release()
    other.acquire()
    other.close()
    holder.close()


def test_it_waits_for_the_holder_and_goes_on(path: Path) -> None:
    holder, other = WriteLock(str(path), 30), WriteLock(str(path), 30)
    holder.acquire()
    got = threading.Event()

    def wait() -> None:
        other.acquire()
        got.set()
        other.release()
        other.close()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not got.wait(0.1)
    holder.release()
    thread.join(30)
    assert got.is_set()
    assert is_free(path)
    holder.close()


def test_an_abandoned_wait_does_not_keep_the_lock(path: Path) -> None:
    holder, other = WriteLock(str(path), 1), WriteLock(str(path), 0.05)
    holder.acquire()
    for _ in range(3):
        with pytest.raises(LockTimeout):
            other.acquire()
    holder.release()
    # The waits that were given up are granted now, one after the other, and each lets go at once.
    eventually(lambda: is_free(path), "the lock is free", 10)
    other.acquire()
    assert not is_free(path)
    other.release()
    eventually(lambda: is_free(path), "whoever gave up, and got it meanwhile, lets go too", 10)
    other.close()
    holder.close()


def test_an_abandoned_wait_leaves_no_open_file(path: Path) -> None:
    holder, other = WriteLock(str(path), 1), WriteLock(str(path), 0.02)
    holder.acquire()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(LockTimeout):
            other.acquire()
    holder.release()
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before, "the waits closed their files", 10)
    holder.close()


def test_a_forked_child_does_not_hold_its_parents_lock(path: Path) -> None:
    lock = WriteLock(str(path), 0.05)
    lock.acquire()

    def child() -> None:
        assert lock.depth == 0
        with pytest.raises(LockTimeout):
            lock.acquire()
        lock.release()  # Nothing to give back: the parent's stays.

    assert in_child(child) == 0
    assert not is_free(path)
    lock.release()
    assert in_child(lambda: (lock.acquire(), lock.release())[1]) == 0
    lock.close()


def test_a_forked_child_does_not_keep_the_lock_of_a_parent_that_died(path: Path) -> None:
    """The child has a copy of the descriptor, and the kernel frees a lock when its last descriptor is closed."""
    told, tell = os.pipe()
    end, ended = os.pipe()

    def parent() -> None:
        lock = WriteLock(str(path), 1)
        lock.acquire()
        if os.fork() == 0:
            os.close(ended)
            os.write(tell, b"x")
            os.read(end, 1)  # Lives on until the test is over, as a worker's child does.
            os._exit(0)
        os.read(told, 1)
        os._exit(0)  # As if it was killed: nothing is released.

    assert in_child(parent) == 0
    try:
        assert is_free(path)
    finally:
        for descriptor in (told, tell, end, ended):
            os.close(descriptor)


def test_who_is_in_a_hurry_waits_for_less_than_the_others(path: Path) -> None:
    """As events do that publishers wait for; the lock's own patience stays what it is."""
    holder, other = WriteLock(str(path), 20), WriteLock(str(path), 20)
    holder.acquire()
    with pytest.raises(LockTimeout, match=r"for 0\.05 seconds"):
        other.acquire(0.05)
    holder.release()
    other.acquire(0.05)
    other.release()
