"""What keeps the generator from sending: written by the worker that runs it, read by the welcome page.

A file of the var folder, which both share. It is there from the first refusal until an event is accepted again.
"""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings


class Trouble(NamedTuple):
    """Since when the ingest refuses the generator's events, and what it says."""

    since: datetime
    reason: str


def _file() -> Path:
    return Path(settings.VAR) / "demo-trouble.json"


def note(reason: str) -> None:
    """Remembers a refusal; the moment of the first one stays. On a full disk it is not remembered."""
    kept = found()
    since = kept.since if kept else datetime.now(UTC)
    written = _file().with_suffix(".new")
    with contextlib.suppress(OSError):
        written.write_text(json.dumps({"since": since.isoformat(), "reason": reason}))
        written.replace(_file())


def clear() -> None:
    """Forgets it: an event was accepted."""
    with contextlib.suppress(FileNotFoundError):
        _file().unlink()


def found() -> Trouble | None:
    """What is the matter; None when events are accepted."""
    try:
        read = json.loads(_file().read_text())
        return Trouble(datetime.fromisoformat(read["since"]), str(read["reason"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
