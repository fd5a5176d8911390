"""The receiving side, seen from the trial: starts the process that receives (`receiver`), and reads what it wrote down.

It is never killed, so what its file says is what targets saw.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from tests.processes import free_port
from tests.vectors import REPOSITORY

# Target name -> share of requests answered 503, and seconds before each answer.
BEHAVIOURS: dict[str, tuple[float, float]] = {
    "healthy": (0.0, 0.0),
    "refusing": (0.1, 0.0),
    "slow": (0.0, 0.02),
    "fickle": (0.0, 0.0),
}
FICKLE = "fickle"
"""The target that misbehaves when told so, on a port of its own."""
FOLLOWED = "followed"
"""Where it redirects to: nobody may ever come there."""
ASKED = 1.0
"""Seconds that it asks to wait with Retry-After, where it throttles."""


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """One request as the sink saw it. `at`: monotonic nanoseconds; `delivery`: its webhook-id; `status`: our answer.

    `status` is 0 where no answer came that anybody could take for one.
    """

    at: int
    target: str
    event: str
    delivery: str
    attempt: int
    status: int
    data: Any
    redriven: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the sink took the event."""
        return 200 <= self.status < 300


class Sink:
    """Runs the process and reads its file. `urls` holds each target's URL by name."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = folder / "arrivals.jsonl"
        self._seed = seed
        self._offset = 0
        self._decoder = msgspec.json.Decoder(Arrival)
        self.arrivals: list[Arrival] = []

    def __enter__(self) -> Self:
        self.path.touch()
        self._fickle_port = free_port()
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
            self._port = int(listening.getsockname()[1])
            options = (
                "--fd",
                str(listening.fileno()),
                "--port",
                str(self._fickle_port),
                "--seed",
                str(self._seed),
            )
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.receiver", str(self.path), *options],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,  # its end tells the receiver that the run is over, also after a kill
                pass_fds=(listening.fileno(),),
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    @property
    def urls(self) -> dict[str, str]:
        """Each target's URL by its name."""
        ports = {name: self._fickle_port if name == FICKLE else self._port for name in BEHAVIOURS}
        return {name: f"http://127.0.0.1:{port}/{name}" for name, port in ports.items()}

    def behave(self, how: str = "well") -> None:
        """Lets the fickle target behave so (`receiver.WAYS`) from now on, also on connections that are open."""
        assert self._process.stdin is not None
        self._process.stdin.write(how.encode() + b"\n")
        self._process.stdin.flush()

    def read(self) -> list[Arrival]:
        """All requests so far, in the order they arrived; what came since the last call is added to `arrivals`."""
        assert self._process.poll() is None, f"the sink ended with {self._process.returncode}"
        with self.path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        self.arrivals += [self._decoder.decode(line) for line in whole.splitlines()]
        return self.arrivals
