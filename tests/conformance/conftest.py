"""What conformance tests share: the npm CloudEvents SDK, installed from its lock file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import services

NPM = Path(__file__).parent / "npm"


@pytest.fixture(scope="session")
def npm_folder() -> Path:
    """The folder in which `node` finds the npm SDK. A test that uses it has the mark `service("npm")`.

    The packages stay in its node_modules (not in the repository) and are installed again when the lock file changed.
    """
    installed = NPM / "node_modules" / ".package-lock.json"
    lock = NPM / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        command = [services.program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=NPM, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"npm ci failed:\n{done.stdout}{done.stderr}"
    return NPM
