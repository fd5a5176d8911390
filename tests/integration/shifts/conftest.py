"""Both databases and a sink."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Database
from tests.integration.sink import Sink, a_sink


@pytest.fixture(autouse=True)
def database(log_database: Database) -> Database:
    return log_database


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found
