"""What conformance tests share: packages installed or read as their lock files say, none of them in the repository."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.npm import installed, run

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache"


@pytest.fixture(scope="session")
def npm_folder() -> Path:
    """The folder of the npm CloudEvents SDK. A test that uses it has the mark `service("npm")`."""
    return installed(HERE / "npm")


@pytest.fixture(scope="session")
def checkers() -> Path:
    """The folder of the packages that check exports. A test that uses it has the mark `service("npm")`."""
    return installed(HERE / "exports")


@pytest.fixture(scope="session")
def xregistry_schema() -> Any:
    """The schema of xRegistry documents, as published: downloaded once, by hash."""
    requirements = HERE / "xregistry.txt"
    wheels = CACHE / "xregistry"
    found = sorted(wheels.glob("xrcg-0.11.0-*.whl"))
    if not found:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
        run([*pip, "--no-deps", "--require-hashes", "--dest", str(wheels), "-r", str(requirements)], HERE)
        found = sorted(wheels.glob("xrcg-0.11.0-*.whl"))
    with zipfile.ZipFile(found[0]) as wheel:
        return json.loads(wheel.read("xrcg/schemas/document-schema.json"))
