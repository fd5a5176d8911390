"""Brokers of a test's own that can be emptied, filled with rubbish, killed, and brought back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import kombu

from delivery.supervision.queues import QUEUES
from tests.processes import eventually, free_port
from tests.services import HOST, RABBITMQ_USER, program, rabbitmq_vhost, rabbitmqctl

UNKNOWN = '[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'
OLD = (
    '[[17], {"target": 3, "retries": 2}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'
)


class Broker(Protocol):
    """`url` for CELERY_BROKER_URL."""

    url: str

    def flush(self) -> None:
        """Forgets all messages and queues."""

    def kill(self) -> None:
        """Is away, at once, with everything it had."""

    def start(self) -> None:
        """Is there again."""


class Memory:
    """The broker inside the worker: nobody else reaches it."""

    url = ""

    def flush(self) -> None:
        pass

    def kill(self) -> None:
        pass

    def start(self) -> None:
        pass


class Redis:
    """A Redis server of the test's own, without a file behind it."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self.url = f"redis://{HOST}:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [program("redis-server"), "--port", str(self._port), "--bind", HOST, "--save", ""]
        command += ["--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(self._answers, "Redis answers")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self, number: int) -> None:
        """SIGSTOP or SIGCONT: it stands still, connections and all, or goes on."""
        assert self._process is not None
        self._process.send_signal(number)

    def flush(self) -> None:
        import redis

        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def push(self, queue: str, *texts: bytes) -> None:
        """Puts what is no message at all into a queue."""
        import redis

        with redis.Redis.from_url(self.url) as client:
            client.lpush(queue, *texts)

    def _answers(self) -> bool:
        import redis

        with redis.Redis.from_url(self.url) as client, suppress(redis.RedisError):
            return bool(client.ping())
        return False


class RabbitMQ:
    """A virtual host of the test's own on the server of this machine, which others use as well."""

    def __init__(self, vhost: str) -> None:
        self._vhost = vhost
        self.url = f"amqp://{RABBITMQ_USER}:guest@{HOST}:5672/{vhost}"

    def start(self) -> None:
        rabbitmqctl("set_permissions", "-p", self._vhost, RABBITMQ_USER, ".*", ".*", ".*")

    def kill(self) -> None:
        """Nobody is let in, and who is in is thrown out."""
        rabbitmqctl("clear_permissions", "-p", self._vhost, RABBITMQ_USER)
        rabbitmqctl("close_all_connections", "--vhost", self._vhost, "gone")

    def flush(self) -> None:
        with kombu.Connection(self.url) as connection, connection.channel() as channel:
            for name in QUEUES:
                channel.queue_delete(name)


@contextmanager
def a_broker(kind: str, folder: Path) -> Iterator[Broker]:
    """A broker of that kind, gone at the end."""
    if kind == "redis":
        server = Redis(folder)
        try:
            yield server
        finally:
            server.kill()
    elif kind == "rabbitmq":
        with rabbitmq_vhost() as vhost:
            yield RabbitMQ(vhost)
    else:
        yield Memory()


def send_rubbish(broker: Broker, times: int) -> None:
    """Messages of tasks that do not exist, of a version with other arguments, that are no JSON, and doubled ones."""
    with kombu.Connection(broker.url) as connection, connection.Producer() as producer:
        for queue in QUEUES:
            _send(producer, queue, "billing.charge", UNKNOWN)
            _send(producer, queue, "delivery.shift", OLD)
            _send(producer, queue, "delivery.shift", "{not JSON")
            _send(producer, queue, "delivery.shift", b"\x80\x04\x95rubbish", "application/x-python-serialize")
            producer.publish(b"\x00\xff", routing_key=queue, exchange="", content_type="application/data")
        for _ in range(times):
            for task in ("delivery.shift", "delivery.observe", "delivery.backfill"):
                _send(producer, "delivery", task, UNKNOWN)
    if isinstance(broker, Redis):
        broker.push("delivery", b"\xff\x00 no message", b"[]", b'{"body": 1}')


def _send(
    producer: kombu.Producer, queue: str, task: str, body: str | bytes, kind: str = "application/json"
) -> None:
    """One message as Celery's protocol 2 has it."""
    headers = {
        "lang": "py", "task": task, "id": str(time.time_ns()), "argsrepr": "", "kwargsrepr": "", "root_id": None,
        "parent_id": None, "group": None, "retries": 0, "timelimit": [None, None], "eta": None, "expires": None,
    }  # fmt: skip
    producer.publish(
        body, routing_key=queue, exchange="", headers=headers, content_type=kind,
        content_encoding="utf-8" if isinstance(body, str) else "binary",
    )  # fmt: skip
