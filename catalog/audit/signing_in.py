"""Who signed in and out, and who failed to."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from catalog.audit.kinds import Action
from catalog.audit.objects import PERSON
from catalog.audit.recording import write
from catalog.models import people

# Failures that a process records in a minute; what is beyond is counted and said with the next.
MOST = 30
MINUTE = 60.0


class Flood:
    """Lets `most` through in a minute, and counts the rest."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._lock = most, threading.Lock()
        self._began, self._passed, self._held = 0.0, 0, 0

    def take(self, at: float) -> int | None:
        """None for one too many at `at` (seconds), else how many were held back since the last that passed."""
        with self._lock:
            if at - self._began >= MINUTE:
                self._began, self._passed = at, 0
            if self._passed >= self._most:
                self._held += 1
                return None
            self._passed += 1
            held, self._held = self._held, 0
            return held


flood = Flood()


def _signed_in(sender: Any, user: Any, **kwargs: Any) -> None:
    name = user.get_username()
    write(Action.SIGNED_IN, PERSON, name, name, by=name)


def _signed_out(sender: Any, user: Any, **kwargs: Any) -> None:
    if user is not None:
        name = user.get_username()
        write(Action.SIGNED_OUT, PERSON, name, name, by=name)


def _failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    held = flood.take(time.monotonic())
    if held is None:
        return
    said = str(credentials.get("username") or "")[:150]
    # What is no name of ours may be a password that was typed into the wrong field.
    name = said if people().filter(username=said).exists() else ""
    more = f"{held:,} more failed and were not written" if held else ""
    write(Action.REFUSED, PERSON, name, name or "unknown name", by="", note=more)


def connect() -> None:
    """Called when Django starts."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit-signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit-signed-out")
    user_login_failed.connect(_failed, dispatch_uid="audit-refused")
