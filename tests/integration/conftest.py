"""Fixtures of tests that need committed rows, several connections or processes, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.databases import Database, default_database
from tests.processes import Town


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def log_database(
    request: pytest.FixtureRequest, new_town: Callable[..., Town], django_db_blocker: object
) -> Iterator[Database]:
    """A migrated database of the test's own, SQLite and then PostgreSQL, the default one of this process."""
    town = new_town(postgresql=request.param == "postgresql")
    with django_db_blocker.unblock(), default_database(town) as database:  # type: ignore[attr-defined]
        yield database


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shifts of this process look and renew several times within SOON (tests/integration/sink.py), not each second."""
    from delivery.runner import shift

    monkeypatch.setattr(shift, "SWEEP", 0.2)
    monkeypatch.setattr(shift, "RENEW", 0.3)


@pytest.fixture
def sqlite_database(new_town: Callable[..., Town], django_db_blocker: object) -> Iterator[Database]:
    """A migrated SQLite database of the test's own, the default one of this process."""
    with django_db_blocker.unblock(), default_database(new_town()) as database:  # type: ignore[attr-defined]
        yield database


@pytest.fixture
def postgresql_log(new_town: Callable[..., Town], django_db_blocker: object) -> Iterator[Database]:
    """A migrated PostgreSQL database of the test's own; the test needs the mark of the service."""
    with django_db_blocker.unblock(), default_database(new_town(postgresql=True)) as database:  # type: ignore[attr-defined]
        yield database
