"""Packages of npm that tests run, installed as their lock files say; none of them is in the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests import services


def installed(folder: Path) -> Path:
    """`folder`, in which `node` finds what its package-lock.json names.

    The packages stay in its node_modules (not in the repository) and are installed again when the lock file changed.
    """
    done = folder / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        run([services.program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    return folder


def run(command: list[str], folder: Path) -> None:
    """Runs `command` in `folder`; what it says is the failure's message."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}"
