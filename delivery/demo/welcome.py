"""What the demo tells its visitors: who may sign in, with which token to publish, and where it all is.

Kept in var/demo.json (mode 0600), because the database holds neither a password nor a token that can be shown.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TypedDict

from django.conf import settings


class Facts(TypedDict):
    """The content of var/demo.json."""

    user: str
    password: str
    token: str
    bus: str


def path() -> Path:
    """Where the facts are kept."""
    return Path(settings.VAR) / "demo.json"


def is_loaded() -> bool:
    """Whether the demo was loaded on this machine."""
    return path().exists()


def banner_facts() -> Facts | None:
    """User, password, token and bus of the demo; None when it was not loaded here."""
    try:
        found = json.loads(path().read_text())
        return Facts(user=found["user"], password=found["password"], token=found["token"], bus=found["bus"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(facts: Facts) -> None:
    """Writes the facts whole or not at all, readable by this user alone."""
    written = path().with_suffix(".new")
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(facts, file, indent=2)
    written.replace(path())


def base_url() -> str:
    """How this machine reaches its own web process, without a slash at its end."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)
    return f"http://[{host}]:{settings.PORT}" if ":" in host else f"http://{host}:{settings.PORT}"
