"""One `up` per var folder: a kernel lock on `up.json`, which also says who runs here and which children it has.

The children inherit the locked descriptor. So after kill -9 of a parent the folder is free only when its children
have stopped too: two generations of workers never run side by side.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

# A child whose parent died stops within 4 s, or is killed (lifeline.GRACE).
HAND_OVER = 6.0


class AlreadyRunning(Exception):
    """Another `up` holds the folder; the message says which, and what to do."""


class Claim:
    """The locked file `up.json` under `folder`; `descriptor` is passed on to children.

    Raises AlreadyRunning when another parent is alive there, or when the children of a dead one do not end within 6 s.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "up.json"
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + HAND_OVER
        while not self._lock():
            running = self._read()
            pid = running.get("pid")
            if (isinstance(pid, int) and _alive(pid)) or time.monotonic() > deadline:
                os.close(self.descriptor)
                raise AlreadyRunning(
                    f"Signalbox runs here already: process {pid} at {running.get('address', 'an unknown address')} "
                    f"uses the folder {folder}. Stop it first (Ctrl-C in its window, or: kill {pid}), or give this "
                    "one a folder and a port of its own: SIGNALBOX_VAR=/another/folder make up PORT=8001"
                )
            time.sleep(0.05)

    def _lock(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _read(self) -> dict[str, object]:
        try:
            found = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def describe(self, address: str, children: dict[str, int]) -> None:
        """Writes who runs here: this process, the address of the web page, and the process id of each child."""
        text = json.dumps({"pid": os.getpid(), "address": address, "children": children}) + "\n"
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def release(self) -> None:
        """Empties the file and lets go of the folder."""
        os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
