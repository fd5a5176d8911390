"""The one place that knows which servers are there. Tests name what they need; nothing is skipped in silence.

    @pytest.mark.service("postgresql", "redis")
    def test_…

The test is skipped by name where the server does not answer, and fails with SIGNALBOX_REQUIRE_SERVICES=1, as in CI.
The last lines of a run say which services were missing. PostgreSQL: `postgresql_database()` makes a database of one's
own and drops it; Redis: `redis_database()` reserves a number and empties it before and after.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

HOST = "127.0.0.1"
RABBITMQ_USER = "guest"
PORTS = {
    "postgresql": ("PostgreSQL", 5432),
    "mysql": ("MariaDB", 3306),
    "redis": ("Redis", 6379),
    "rabbitmq": ("RabbitMQ", 5672),
    "mqtt": ("Mosquitto", 1883),
    "nats": ("NATS", 4222),
}
# Programs that a test starts itself. The first that is found counts.
PROGRAMS = {
    "redis-server": ("Redis", ("redis-server",)),
    "rabbitmqctl": ("rabbitmqctl", ("rabbitmqctl", "/usr/sbin/rabbitmqctl")),
    "initdb": ("PostgreSQL's initdb", ("initdb",)),
    "chromium": ("Chromium", ("chromium", "chromium-browser", "google-chrome")),
    "npm": ("npm", ("npm",)),
    "gettext": ("GNU gettext", ("xgettext",)),
}
_numbers = itertools.count(1)


@cache
def missing(name: str) -> str:
    """Why service `name` cannot be used, as a sentence; the empty string when it can. Raises KeyError for no service."""
    if name in PROGRAMS:
        title, programs = PROGRAMS[name]
        return "" if any(map(shutil.which, programs)) else f"{title} is not installed on this machine"
    if name.startswith("kafka-"):
        from tests import kafka  # which asks this file's neighbours for a port

        return kafka.missing(name.removeprefix("kafka-"))
    title, port = PORTS[name]
    try:
        socket.create_connection((HOST, port), timeout=2).close()
    except OSError:
        return f"{title} is not answering on {HOST}:{port}"
    return ""


def required() -> bool:
    """Whether a missing service is a failure (CI) and not a skip."""
    return os.environ.get("SIGNALBOX_REQUIRE_SERVICES") == "1"


def program(name: str) -> str:
    """The path of a program that `missing` found."""
    return next(path for candidate in PROGRAMS[name][1] if (path := shutil.which(candidate)))


@contextmanager
def postgresql_database(template: str = "template0") -> Iterator[str]:
    """The URL of a new database, named for this process and dropped at the end, with whoever is still connected."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"signalbox_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(
        host=HOST, port=5432, user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
        )
        try:
            yield f"postgresql://postgres@{HOST}:5432/{name}"
        finally:
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def redis_database() -> Iterator[str]:
    """The URL of an empty Redis database that nobody else's tests on this machine use; emptied again at the end."""
    import redis

    with _reserved(range(1, 16)) as number:
        url = f"redis://{HOST}:6379/{number}"
        with redis.Redis.from_url(url) as client:
            client.flushdb()
            try:
                yield url
            finally:
                client.flushdb()


@contextmanager
def rabbitmq_vhost() -> Iterator[str]:
    """The name of a virtual host of RabbitMQ that is this test's own, and gone at the end."""
    name = f"signalbox_{os.getpid()}_{next(_numbers)}"
    rabbitmqctl("add_vhost", name)
    try:
        rabbitmqctl("set_permissions", "-p", name, RABBITMQ_USER, ".*", ".*", ".*")
        yield name
    finally:
        rabbitmqctl("delete_vhost", name)


def rabbitmqctl(*arguments: str) -> None:
    """Runs a command of RabbitMQ; fails with what it said."""
    done = subprocess.run(
        [program("rabbitmqctl"), "--quiet", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"rabbitmqctl {' '.join(arguments)}\n{done.stdout}{done.stderr}"


@contextmanager
def _reserved(numbers: range) -> Iterator[int]:
    """The first of `numbers` that no other process reserved; a process that dies gives its own back."""
    for number in numbers:
        with (Path(tempfile.gettempdir()) / f"signalbox-tests-redis-{number}.lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield number
            return
    raise AssertionError("all databases of Redis are in use by other test runs; try again when they ended")
