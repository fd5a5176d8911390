"""Rings hot shifts after a commit: a Unix datagram under var/, or NOTIFY inside the commit on PostgreSQL.

A ring may be lost or doubled: nothing depends on it but the latency, for shifts look by themselves every second.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import time
from pathlib import Path

from django.conf import settings

# How long the list of bells is believed; a new shift sweeps once by itself before it waits.
LISTED = 0.5
RING = b"!"
STOP = b"stop"


def folder() -> Path:
    """Where the bells of this machine's shifts are. Short, because a socket's path may hold 107 bytes only."""
    path = Path(settings.VAR) / "bells"
    if len(os.fsencode(path)) > 80:
        import hashlib

        name = hashlib.blake2b(os.fsencode(settings.VAR), digest_size=8).hexdigest()
        path = Path(tempfile.gettempdir()) / f"signalbox-{os.getuid()}-{name}"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


class Doorbell:
    """The ringing side, for one process."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._bells: list[str] = []
        self._listed = 0.0

    def ring(self) -> None:
        """Wakes every shift of this machine; a bell that nobody answers is taken down."""
        now = time.monotonic()
        if now - self._listed > LISTED:
            self._bells = [str(path) for path in folder().glob("*.bell")]
            self._listed = now
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        for bell in list(self._bells):
            try:
                self._socket.sendto(RING, bell)
            except (ConnectionRefusedError, FileNotFoundError):
                self._bells.remove(bell)
                with contextlib.suppress(OSError):
                    os.unlink(bell)
            except OSError:
                pass  # Its queue is full: it rings already.

    def close(self) -> None:
        """Gives the socket back; the next ring opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ring_to_stop(self, worker: int) -> None:
        """Tells the shifts of the Celery worker with process id `worker` to leave."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            for path in folder().glob(f"{worker}-*.bell"):
                with contextlib.suppress(OSError):
                    bell.sendto(STOP, str(path))


class Bell:
    """The listening side: a datagram socket for a shift's event loop."""

    def __init__(self, name: str) -> None:
        self._path = folder() / f"{name}.bell"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        self.socket.bind(str(self._path))

    def hush(self) -> bool:
        """Takes all rings that came in; whether one of them says that the process is to stop."""
        stop = False
        with contextlib.suppress(BlockingIOError):
            while ring := self.socket.recv(16):
                stop = stop or ring == STOP
        return stop

    def close(self) -> None:
        """Takes the bell down."""
        self.socket.close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)
