"""Real processes for integration, browser and chaos tests: a town is one Signalbox with a folder and a port of its own.

    def test_…(town):                       # migrated, empty, nothing started
        town.start("web", "worker")         # returns when the web process answers /livez and the worker consumes
        town.manage("shell", "-c", "…")     # any management command, its output returned
        town.query("SELECT …")              # rows of its database, without starting anything
        town.request("POST", "/v1/…", body, {"authorization": "…"})
        town.kill("worker")                 # SIGKILL, waits until it is gone
        town.start("worker")                # again, on the same data
        town.stop("web")                    # SIGTERM, returns the exit status

`town.start("up")` runs the whole `manage.py up` instead; `town.children()` names its children's process ids, so that
`town.kill("up")` (the parent alone) and `town.kill_child("web")` can be told apart. All are stopped at the end of the
test. Should the test run itself be killed, they notice by their lifeline and stop. Only processes that a town started
are ever signalled.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from delivery.supervision.lifeline import Lifeline
from tests.services import postgresql_database, redis_database
from tests.vectors import REPOSITORY

MANAGE = (sys.executable, str(REPOSITORY / "manage.py"))
COMMANDS = {
    "web": (*MANAGE, "serve"),
    "worker": (*MANAGE, "work", "--unsupervised"),
    "work": (*MANAGE, "work"),  # the same with a parent that starts it again
    "up": (*MANAGE, "up", "--no-open"),
    # As a Django user starts them.
    "runserver": (*MANAGE, "runserver", "--noreload"),
    "celery": (sys.executable, "-m", "celery", "-A", "config", "worker", "-l", "INFO"),
}
CONSUMERS = ("worker", "work", "celery")
# Generous, because machines that run tests are busy. What waits ends as soon as it may; nothing asserts on it.
PATIENCE = 60.0
# Below what Linux, macOS and Windows give to outgoing connections.
PORTS = range(20_000, 32_000)
_numbers = itertools.count()


@dataclass
class Answer:
    """An HTTP response: status, headers with names in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> object:
        """The body, parsed."""
        return json.loads(self.body)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on now.

    Not one that the system gives to connections: between now and the start of whoever is to listen, none may take it.
    """
    for number in _numbers:
        port = PORTS[(os.getpid() * 97 + number) % len(PORTS)]  # Each test process begins at another.
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError("unreachable: the numbers do not end")


def eventually(true: Callable[[], bool], sentence: str, within: float = PATIENCE) -> None:
    """Returns once `true()`; fails with `sentence` when that took longer than `within` seconds."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {sentence}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether process `pid` runs. One that ended and was not yet waited for does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.strip().startswith("Z")


@dataclass
class Town:
    """One Signalbox: `var`, `port`, `url`, the `environment` of its processes, and its running `processes` by name."""

    var: Path
    port: int
    environment: dict[str, str]
    lifeline: Lifeline
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started_at: dict[str, int] = field(default_factory=dict)
    log: IO[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.log = (self.var / "processes.log").open("ab")

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def output(self) -> str:
        """What the processes of this town have printed so far, together."""
        return (self.var / "processes.log").read_text(errors="replace")

    def manage(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """Runs `manage.py …` to its end and returns its standard output; fails with its messages if it failed."""
        done = subprocess.run(
            [*MANAGE, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"manage.py {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query on the town's database as it is now; a place for a value is `%s`.

        Read by this process: a management command takes a second only to begin.
        """
        if url := self.environment.get("DATABASE_URL"):
            import psycopg

            with psycopg.connect(url) as connection:
                return connection.execute(sql.encode(), values).fetchall()
        file = f"file:{self.var}/signalbox.sqlite3?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=30)) as opened:
            return opened.execute(sql.replace("%s", "?"), values).fetchall()

    def start(self, *names: str, arguments: tuple[str, ...] = (), ready: bool = True) -> None:
        """Starts processes by their names in COMMANDS, with `arguments`; waits until each does its work."""
        for name in names:
            running = self.processes.get(name)
            assert running is None or running.poll() is not None, f"{name} of this town runs already"
            self.started_at[name] = len(self.output())
            self.processes[name] = subprocess.Popen(
                [*COMMANDS[name], *arguments],
                cwd=REPOSITORY,
                env=self.environment | self.lifeline.environment(),
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=subprocess.STDOUT,
                pass_fds=(self.lifeline.reader,),
                start_new_session=True,
            )
        if ready:
            for name in names:
                self.wait_until_ready(name)

    def wait_until_ready(self, name: str) -> None:
        """Returns when the web process answers (`web`, `up`, `runserver`) or the worker consumes (`worker`, `work`, `celery`)."""
        process = self.processes[name]
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready(name):
            assert process.poll() is None, f"{name} ended with {process.returncode}:\n{self.output()}"
            assert time.monotonic() < deadline, (
                f"{name} was not ready within {PATIENCE:.0f} s:\n{self.output()}"
            )
            time.sleep(0.02)

    def _is_ready(self, name: str) -> bool:
        if name in CONSUMERS:
            return " ready." in self.output()[self.started_at[name] :]  # Celery's own line, at level INFO
        if name == "up" and (
            self._described().get("pid") != self.processes[name].pid or len(self.children()) != 2
        ):
            return False
        try:
            return self.request("GET", "/livez", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self, name: str) -> None:
        """SIGKILL, as `kill -9`, to one process that `start` started; returns when it is gone."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self, name: str, number: int = signal.SIGTERM) -> int:
        """Sends SIGTERM (or `number`: SIGINT is Ctrl-C) and returns the exit status."""
        self.processes[name].send_signal(number)
        return self.processes[name].wait(PATIENCE)

    def children(self) -> dict[str, int]:
        """The process ids of the children that `up` has now, by name; empty while there are none."""
        return dict(self._described().get("children", {}))

    def _described(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.var / "up.json").read_text()))
        except (OSError, ValueError):
            return {}

    def wait_for_worker(self) -> None:
        """Returns when the worker that `up` started last consumes."""
        eventually(lambda: " ready." in self.output()[self.started_at["up"] :], "the worker consumes")

    def signal_child(self, name: str, number: int) -> int:
        """Sends signal `number` to a child of `up` and returns its process id."""
        pid = self.children()[name]
        os.kill(pid, number)
        return pid

    def kill_child(self, name: str) -> int:
        """SIGKILL to a child of `up`; returns its process id."""
        return self.signal_child(name, signal.SIGKILL)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = PATIENCE,
    ) -> Answer:
        """One HTTP request on a connection of its own. Raises OSError or HTTPException when there is no answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            found = connection.getresponse()
            return Answer(
                found.status, {key.lower(): value for key, value in found.getheaders()}, found.read()
            )

    def close(self) -> None:
        """Stops what still runs: SIGTERM, and SIGKILL after 6 s."""
        running = [process for process in self.processes.values() if process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(6)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()


class Towns:
    """Makes towns in `folder`. Migrations run once per kind of database; every town starts from a copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._stack = ExitStack()
        self._migrated: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @contextmanager
    def new(
        self,
        *,
        postgresql: bool = False,
        redis: bool = False,
        migrated: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[Town]:
        """A town that is stopped and, with its databases, removed at the end.

        `postgresql` and `redis` use a database of its own on the servers of this machine instead of SQLite and
        memory://. `migrated=False` leaves the database empty, as on a first `make up`. `environment` adds settings.
        """
        with ExitStack() as stack:
            var = self._new_folder()
            stack.callback(shutil.rmtree, var, ignore_errors=True)
            settings: dict[str, str] = {}
            if postgresql:
                template = self._migrated_postgresql() if migrated else "template0"
                settings["DATABASE_URL"] = stack.enter_context(postgresql_database(template))
            elif migrated:
                shutil.copy(self._migrated_sqlite(), var / "signalbox.sqlite3")
            if migrated:
                _copy_made(var)
            if redis:
                url = stack.enter_context(redis_database())
                settings |= {"CELERY_BROKER_URL": url, "REDIS_URL": url}
            lifeline = Lifeline()
            stack.callback(lifeline.close)
            port = free_port()
            town = Town(var, port, _environment(var, port) | settings | dict(environment or {}), lifeline)
            stack.callback(town.close)
            yield town

    def _new_folder(self) -> Path:
        self._count += 1
        var = self._folder / f"town-{self._count}"
        var.mkdir(mode=0o700)
        return var

    def _migrated_sqlite(self) -> str:
        if "sqlite" not in self._migrated:
            var = self._new_folder()
            _migrate(_environment(var, 8000))
            # The copy must be one file: what the write-ahead log still holds goes into the database first.
            with closing(sqlite3.connect(var / "signalbox.sqlite3")) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._migrated["sqlite"] = str(var / "signalbox.sqlite3")
        return self._migrated["sqlite"]

    def _migrated_postgresql(self) -> str:
        if "postgresql" not in self._migrated:
            url = self._stack.enter_context(postgresql_database())
            _migrate(_environment(self._new_folder(), 8000) | {"DATABASE_URL": url})
            self._migrated["postgresql"] = url.rpartition("/")[2]
        return self._migrated["postgresql"]


def _copy_made(var: Path) -> None:
    """What the first process of a town makes of fonts, style sheets and catalogues, as this one has it."""
    from django.conf import settings

    for name in ("fonts", "styles", "locale"):
        if (settings.VAR / name).exists():
            shutil.copytree(settings.VAR / name, var / name)


def _migrate(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [*MANAGE, "migrate", "--verbosity=0"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"manage.py migrate failed:\n{done.stdout}{done.stderr}"


def _environment(var: Path, port: int) -> dict[str, str]:
    # This process's own environment was cleaned of SIGNALBOX_* and server addresses in conftest.py.
    own = {"SIGNALBOX_VAR": str(var), "SIGNALBOX_PORT": str(port), "SIGNALBOX_LOG_LEVEL": "INFO", "DEMO": "0"}
    return {**os.environ, **own}
