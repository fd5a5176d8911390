"""The catalog's own queries on PostgreSQL: files of tests that run on SQLite here, run there as well."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.services import postgresql_database
from tests.vectors import REPOSITORY

FILES = [
    "test_marketplace.py",
    "test_discovery.py",
    "test_lifecycle.py",
    "test_event_type.py",
    "test_event_type_quality.py",
    "test_event_type_versions.py",
    "test_api_event_types.py",
    "test_api_changes.py",
]
SETTINGS = ["test_audit.py", "test_members.py", "test_teams.py"]
# The others ask through the ORM only, in the same words for either database.
# What asks for SQLite's own index, or for ten thousand rows twice.
LEFT_OUT = "not ten_thousand"


@pytest.mark.service("postgresql")
def test_pages_discovery_lifecycle_and_api_do_the_same_on_postgresql() -> None:
    with postgresql_database() as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", LEFT_OUT, *_paths()],
            cwd=REPOSITORY,
            env=os.environ | {"SIGNALBOX_TESTS_DATABASE": url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def _paths() -> list[str]:
    folder = REPOSITORY / "tests" / "integration"
    found = [str(folder / "catalog" / name) for name in FILES]
    return [*found, *(str(folder / "settings" / name) for name in SETTINGS)]
