"""Servers and a disk of a trial's own, which it may break: a PostgreSQL cluster, Redis, RabbitMQ, a small file system."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests import services
from tests.integration.brokers import RabbitMQ, Redis
from tests.processes import Town, Towns, eventually, free_port
from tests.services import HOST, rabbitmq_vhost

DISK = 300 * 1024**2  # bytes
OWNER = "postgres"


@dataclass
class Servers:
    """What a trial may break; None for what its town does not have, or shares with others."""

    postgresql: Cluster | None = None
    redis: Redis | None = None
    rabbitmq: RabbitMQ | None = None
    disk: Path | None = None


class Cluster:
    """A PostgreSQL server with a folder and a port of its own, gone at the end. `url` names its one database."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._port = free_port()
        self._user = OWNER if os.geteuid() == 0 else None  # It refuses to run as root.
        self.url = f"postgresql://postgres@{HOST}:{self._port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        if self._user:
            shutil.chown(folder, self._user)
        subprocess.run(
            ["initdb", "--username=postgres", "--auth=trust", "--no-sync", "-D", str(self._data)],
            user=self._user, cwd=folder, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        command = ["postgres", "-D", str(self._data), "-p", str(self._port), "-c", f"listen_addresses={HOST}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-c", "unix_socket_directories="],
                user=self._user, cwd=self._data, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        eventually(self._answers, "PostgreSQL answers")

    def stop(self) -> None:
        """As `pg_ctl stop -m immediate`: without a checkpoint, so that it recovers from its log at the next start."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(60)

    def terminate_connections(self) -> None:
        """Ends every connection but the one that asks."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

    def _answers(self) -> bool:
        import psycopg

        with suppress(psycopg.OperationalError), psycopg.connect(self.url):
            return True
        return False


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running one."""
    # Not in a folder of the trial's: those are closed to others, and it runs as somebody else.
    folder = Path(tempfile.mkdtemp(prefix="signalbox-chaos-postgresql-"))
    try:
        found = Cluster(folder)
        try:
            yield found
        finally:
            with suppress(ProcessLookupError):
                found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of 300 MB in a file, mounted: syncs are real, and it can be filled. None where that is not allowed."""
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


@contextmanager
def embedded_town(folder: Path) -> Iterator[tuple[Town, Servers]]:
    """SQLite on a disk of its own where that is allowed, and the broker in memory."""
    with small_disk(folder) as disk, Towns(disk or folder) as towns, towns.new() as town:
        yield town, Servers(disk=disk)


@contextmanager
def scaled_town(folder: Path) -> Iterator[tuple[Town, Servers]]:
    """A PostgreSQL and a Redis of its own; a virtual host of RabbitMQ as the broker where there is one, else Redis."""
    with ExitStack() as stack:
        towns = stack.enter_context(Towns(folder))
        database = stack.enter_context(cluster())
        redis = Redis(folder)
        stack.callback(redis.kill)
        rabbitmq = None
        if not (services.missing("rabbitmq") or services.missing("rabbitmqctl")):
            rabbitmq = RabbitMQ(stack.enter_context(rabbitmq_vhost()))
        broker = rabbitmq or redis
        environment = {"DATABASE_URL": database.url, "REDIS_URL": redis.url, "CELERY_BROKER_URL": broker.url}
        town = stack.enter_context(towns.new(migrated=False, environment=environment))
        town.manage("migrate", "--verbosity=0")
        yield town, Servers(database, redis, rabbitmq)
