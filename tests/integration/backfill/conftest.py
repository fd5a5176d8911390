"""Both databases, a sink, and parts so small that a few hundred events have many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Database
from tests.integration.sink import Sink, a_sink


@pytest.fixture(autouse=True)
def database(log_database: Database) -> Database:
    return log_database


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of ten events, so that a test of a few hundred has many."""
    from delivery.backfill import past  # Models: pytest loads this file before Django is set up.

    monkeypatch.setattr(past, "PART", 10)
    monkeypatch.setattr(past, "NARROW", 10)
    monkeypatch.setattr("delivery.backfill.work.REST", 0.0)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found
