"""A pipe that tells a process that the one that started it is gone, also after kill -9.

The parent holds the only writing end and writes nothing. Its children inherit the reading end and wait for the end
of the file, which the kernel delivers however the parent died. PR_SET_PDEATHSIG would do this on Linux alone.
"""

from __future__ import annotations

import os
import signal
import threading
import time

ENVIRONMENT = "SIGNALBOX_LIFELINE_FD"
GRACE = 4.0


class Lifeline:
    """The parent's end. It must stay open for as long as the parent lives; `reader` is passed on to children."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()

    def environment(self) -> dict[str, str]:
        """What a child finds in its environment beside the inherited descriptor `reader`."""
        return {ENVIRONMENT: str(self.reader)}

    def close(self) -> None:
        """Lets go of both ends: children that still run stop by themselves."""
        os.close(self._writer)
        os.close(self.reader)


def watch() -> None:
    """In a child: stop as by SIGTERM when the parent is gone, and by SIGKILL if that took longer than 4 s.

    Without a lifeline in the environment (started by hand, by systemd) this does nothing.
    """
    descriptor = os.environ.pop(ENVIRONMENT, "")
    if descriptor:
        threading.Thread(
            target=_wait_for_the_end, args=(int(descriptor),), name="lifeline", daemon=True
        ).start()


def _wait_for_the_end(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGKILL)
