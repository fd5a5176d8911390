"""The parent: starts the children, starts again what dies, and stops all of them in a given time."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from delivery.supervision.backoff import BackOff
from delivery.supervision.lifeline import Lifeline

STOP_WITHIN = 4.0
TOO_SLOW = "had not stopped and was killed; what it had under way is sent again at the next start"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Child:
    """A command that must always run. `descriptors` are inherited beside the lifeline."""

    name: str
    command: Sequence[str]
    descriptors: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    back_off: BackOff = field(default_factory=BackOff)


class Parent:
    """Runs `children` until a stop signal arrives.

    `say` takes a line for the person at the terminal; `changed` is called with the process id of each living child
    whenever one was started. What has not ended `stop_within` seconds after a stop signal is killed.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        say: Callable[[str], None],
        changed: Callable[[dict[str, int]], None] = lambda children: None,
        stop_within: float = STOP_WITHIN,
    ) -> None:
        self.children = children
        self.stopping = False
        self._say = say
        self._changed = changed
        self._stop_within = stop_within
        self._stop_signals = 0
        self._lifeline = Lifeline()

    def run(self, started: Callable[[], None]) -> None:
        """Starts the children, calls `started` once, supervises, and returns when every child has ended."""
        with self._signals() as wake:
            try:
                self._start_due()
                started()
                while not self._stop_signals:
                    self._start_due()
                    self._wait(wake, self._until_next_start())
                    self._note_deaths()
                self._stop(wake)
            finally:
                self.stopping = True
                self._kill()
                self._lifeline.close()

    def _start_due(self) -> None:
        now = time.monotonic()
        due = [child for child in self.children if child.process is None and child.start_at <= now]
        for child in due:
            child.process = subprocess.Popen(
                child.command,
                stdin=subprocess.DEVNULL,
                pass_fds=(self._lifeline.reader, *child.descriptors),
                env={**os.environ, **child.environment, **self._lifeline.environment()},
                # Its own session: Ctrl-C reaches the parent alone, which then stops the children in order.
                start_new_session=True,
            )
            child.started = now
        if due:
            self._changed({child.name: child.process.pid for child in self.children if child.process})

    def _note_deaths(self) -> None:
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                continue
            lived = time.monotonic() - child.started
            pause = child.back_off.after(lived)
            child.start_at = time.monotonic() + pause
            self._say(
                f"The {child.name} process ended after {lived:.0f} s ({_ending(child.process.returncode)}). "
                f"It is started again in {pause:.1f} s."
            )
            child.process = None

    def _until_next_start(self) -> float | None:
        waiting = [child.start_at for child in self.children if child.process is None]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _stop(self, wake: socket.socket) -> None:
        self.stopping = True
        living = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + self._stop_within
        while any(process.poll() is None for process in living) and self._stop_signals == 1:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._wait(wake, left)

    def _kill(self) -> None:
        """Ends what is left at once. Leases and the log are made for that: nothing acknowledged is lost."""
        for child in self.children:
            if child.process and child.process.poll() is None:
                self._say(f"The {child.name} process {TOO_SLOW}.")
                # The child leads a session of its own, so this takes what it may have started along.
                with suppress(ProcessLookupError):
                    os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_signals += 1

    @contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """Handles signals and yields a socket that becomes readable with each of them, a child's death included."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        before: dict[int, Any] = {
            # Under nohup a hang-up is ignored, and stays so.
            number: signal.signal(number, self._on_stop)
            for number in STOP_SIGNALS
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP
        }
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                # One more Ctrl-C while the process ends must not turn a clean stop into a traceback.
                ends = self._stop_signals and number in STOP_SIGNALS
                signal.signal(number, signal.SIG_IGN if ends else handler)
            reader.close()
            writer.close()

    @staticmethod
    def _wait(wake: socket.socket, seconds: float | None) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(wake, selectors.EVENT_READ)
            selector.select(seconds)
        with suppress(BlockingIOError):
            wake.recv(4096)


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
