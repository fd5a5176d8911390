"""A process of ours settles before its threads begin."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from celery.signals import celeryd_after_setup
from django.db.backends.signals import connection_created

import config.asgi
import delivery.tasks
from tests.vectors import REPOSITORY

COUNT = """
import ctypes, gc, os, sys, threading, tempfile
from delivery.supervision.settling import settle
if sys.argv[1] == "settled":
    settle()
libc = ctypes.CDLL(None)
together = threading.Barrier(8)
def allocate():
    together.wait()
    libc.malloc.restype = ctypes.c_void_p
    for _ in range(100):
        libc.malloc(10_000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as file:
    told = ctypes.c_void_p(libc.fopen(file.name.encode(), b"w"))
    libc.malloc_info(0, told)
    libc.fclose(told)
    print(file.read().count(b"<heap nr="), gc.get_freeze_count())
"""


def _counted(how: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", COUNT, how], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    heaps, frozen = done.stdout.split()
    return int(heaps), int(frozen)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heaps")
def test_threads_of_a_settled_process_share_one_heap_and_what_is_loaded_is_not_collected() -> None:
    assert _counted("not settled")[0] > 1
    heaps, frozen = _counted("settled")
    assert heaps == 1
    assert frozen > 1000


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Told of each call, in place of what would change the process that runs the tests."""
    calls: list[str] = []
    for module in (delivery.tasks, config.asgi):
        monkeypatch.setattr(module, "settle", lambda: calls.append("settled"))
    return calls


def test_a_worker_settles_when_it_is_set_up(settled: list[str]) -> None:
    try:
        celeryd_after_setup.send(sender="worker@here", instance=None, conf=None)
        assert settled == ["settled"]
    finally:
        connection_created.disconnect(delivery.tasks._keep_few_pages)


def test_a_web_process_settles_before_its_first_request(settled: list[str]) -> None:
    class Over(Exception):
        pass

    messages = ["lifespan.startup"]

    async def receive() -> dict[str, str]:
        if not messages:
            raise Over
        return {"type": messages.pop()}

    async def send(message: dict[str, str]) -> None:
        assert settled == ["settled"], message

    with pytest.raises(Over):
        asyncio.run(config.asgi.application({"type": "lifespan"}, receive, send))
    assert settled == ["settled"]


FREE = """
import ctypes
from pathlib import Path
from delivery.supervision.settling import give_back

def held():
    return int(Path("/proc/self/statm").read_text().split()[1])

malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
malloc.restype = ctypes.c_void_p
pieces = [ctypes.c_void_p(malloc(4096)) for _ in range(10_000)]
for piece in pieces:
    ctypes.memset(piece, 1, 4096)
above = malloc(64)
for piece in pieces[:-1]:
    free(piece)
before = held()
give_back()
print((before - held()) * 4)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heaps")
def test_what_is_free_below_something_small_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FREE], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 30_000  # KiB, of 40,000
