"""A migrated database of a test's own as the default one of this process, its threads and the processes it starts.

    def test_…(log_database):               # fixture of tests/integration/conftest.py: SQLite, then PostgreSQL
        log_database.run(script, "argument") # a Python process on the same database, its output returned

Unlike pytest-django's, what a test commits is committed: other connections see it, and locks are real.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from tests.processes import Town
from tests.vectors import REPOSITORY

PREAMBLE = "import django; django.setup()\n"


@dataclass
class Database:
    """`vendor` is "sqlite" or "postgresql"; `town` has its folder and the environment of its processes."""

    vendor: str
    town: Town

    def start(self, script: str, *arguments: str) -> Started:
        """Starts Python with `script`, Django set up and this database its default; stdin and stdout are pipes."""
        return Started(
            [sys.executable, "-c", PREAMBLE + script, *arguments],
            cwd=REPOSITORY,
            env=self.town.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str, *arguments: str, status: int = 0) -> str:
        """Runs `script` to its end and returns what it printed; fails when it does not end with `status`."""
        with self.start(script, *arguments) as process:
            printed = process.communicate()[0]
        assert process.returncode == status, f"it ended with {process.returncode}, not {status}:\n{printed}"
        return printed

    def freeze(self, process: subprocess.Popen[str]) -> None:
        """Stops `process`; on SQLite at a moment when it does not hold the write lock, which nobody could take away.

        On PostgreSQL at any moment: the server ends a transaction that stands still.
        """
        for _ in range(200):
            os.kill(process.pid, signal.SIGSTOP)
            if not self._is_locked():
                return
            os.kill(process.pid, signal.SIGCONT)
            time.sleep(0.005)
        raise AssertionError("the process was never seen without the write lock")

    def _is_locked(self) -> bool:
        if self.vendor != "sqlite":
            return False
        with open(self.town.var / "signalbox.sqlite3.lock") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


class Started(subprocess.Popen[str]):
    """A process that is killed when its block ends, also when it is frozen: a test that fails must not hang."""

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self.kill()
        super().__exit__(*error)


@contextmanager
def default_database(town: Town) -> Iterator[Database]:
    """Makes `town`'s database the default one of this process until the end."""
    from django.db import connections
    from django.test import override_settings

    from config import environment

    url = town.environment.get("DATABASE_URL", "")
    with patch.dict(os.environ, {"DATABASE_URL": url}):
        found = environment.database(town.var)
    configured = connections.configure_settings({"default": found})["default"]
    kept_settings, kept = connections.settings["default"], connections["default"]
    connections.settings["default"] = configured
    del connections["default"]
    try:
        with override_settings(VAR=town.var, ALLOWED_TARGET_NETWORKS=["127.0.0.0/8"]):
            yield Database("postgresql" if url else "sqlite", town)
    finally:
        connections["default"].close()
        connections.settings["default"] = kept_settings
        connections["default"] = kept


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Starts `work` in a thread with a connection of its own; the function returned waits for what it returned."""
    answer: list[Any] = []
    trouble: list[BaseException] = []

    def run() -> None:
        from django.db import connections

        try:
            answer.append(work())
        except BaseException as error:
            trouble.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()

    def ended() -> Any:
        thread.join(60)
        assert not thread.is_alive(), "the thread did not end within 60 s"
        if trouble:
            raise trouble[0]
        return answer[0]

    return ended


def open_files() -> int:
    """How many file descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))
