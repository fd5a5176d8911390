"""Processes that a benchmark starts and always stops."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.processes import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


def on_core(core: int | None) -> Callable[[], None] | None:
    """What holds a child process to one core of this machine; None where there is nothing to hold it to."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        return None
    usable = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {usable[core % len(usable)]})


@contextmanager
def process(
    arguments: list[str],
    environment: Mapping[str, str] | None = None,
    core: int | None = None,
    python: str = sys.executable,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the repository's root, ended with the block."""
    running = subprocess.Popen(
        [python, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
        preexec_fn=on_core(core),
    )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def wait_for(port: int, path: str = "/") -> None:
    """Returns when something answers HTTP on `port`."""
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", path)
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"Nothing answers on port {port}.")


@contextmanager
def asgi(application: str, environment: Mapping[str, str]) -> Iterator[int]:
    """An ASGI application under uvicorn, as ours is served; yields its port."""
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--no-access-log"]
    with process(
        ["-m", "uvicorn", application, *options, "--loop", "uvloop", "--http", "httptools"], environment
    ):
        wait_for(port)
        yield port


@contextmanager
def wsgi(application: str, environment: Mapping[str, str]) -> Iterator[int]:
    """A WSGI application under granian, the fastest server we know for it; yields its port."""
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--interface", "wsgi", "--blocking-threads", "8"]
    with process(["-m", "granian", *options, "--no-log", application], environment):
        wait_for(port)
        yield port


@contextmanager
def sink(core: int | None = None) -> Iterator[int]:
    """The bare target, perhaps on one core; yields its port."""
    with sink_process(core) as (port, _):
        yield port


@contextmanager
def sink_process(core: int | None = None) -> Iterator[tuple[int, int]]:
    """The same; yields its port and its process id."""
    port = free_port()
    with process(["-m", "tests.benchmarks.sink", str(port)], core=core) as running:
        wait_for(port, "/count")
        yield port, running.pid
