"""The environment of what cannot be installed beside Signalbox: `make peers` makes it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
LOCALSTACK = "localstack-core 4.4.0"


def script(name: str) -> str:
    """The path of a program of this folder."""
    return str(Path(__file__).with_name(name))


def missing() -> str:
    """Why nothing of it can be measured; "" when it can be."""
    return "" if PYTHON.exists() else "there is no .venv-peers (make peers)"
