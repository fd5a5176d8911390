"""Databases for tests of the observer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.databases import Database, default_database
from tests.processes import Towns


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))]
)
def database(request: pytest.FixtureRequest, towns: Towns, django_db_blocker: Any) -> Iterator[Database]:
    """SQLite, then PostgreSQL, for all tests of this file."""
    postgresql = request.param == "postgresql"
    with (
        towns.new(postgresql=postgresql) as town,
        django_db_blocker.unblock(),
        default_database(town) as found,
    ):
        yield found


@pytest.fixture
def log_database(database: Database) -> Database:
    """The database, empty again."""
    # pytest loads this file before Django is set up.
    from catalog.models import Bus, Domain, EventType, Observation, Source, Team, Violation
    from tests.integration.rows import empty, execute

    empty()
    execute("UPDATE log_head SET seq = 0")
    for model in (Observation, Violation, EventType, Domain, Source, Bus, Team):
        model.objects.all().delete()
    return database
