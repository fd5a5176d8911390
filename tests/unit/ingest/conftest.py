"""The ingest application over a database of its own, called directly: no server, no socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# pytest loads this file before Django is set up: what has models is imported where it is used.
if TYPE_CHECKING:
    from catalog.models import Bus, Domain, Team, Token
    from tests.unit.ingest.calling import Caller


@pytest.fixture
def team(transactional_db: None) -> Team:
    """Committed for real: the log's writer is a thread with a connection of its own."""
    from catalog.models import Team

    return Team.objects.create(name="Shop", slug="shop")


@pytest.fixture
def domain(team: Team) -> Domain:
    from catalog.models import Domain

    return Domain.objects.create(name="Orders", slug="orders", badge="OR", team=team)


@pytest.fixture
def bus(team: Team) -> Bus:
    from catalog.models import Bus

    return Bus.objects.create(name="orders")


@pytest.fixture
def issued(team: Team, bus: Bus) -> tuple[Token, str]:
    """A token of `bus` and its text."""
    from catalog.models import Token

    return Token.issue(name="checkout", team=team, bus=bus)


@pytest.fixture
def caller(issued: tuple[Token, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """A client with a token of bus `orders`; the process's pipeline is new."""
    from delivery.ingest import pipeline
    from delivery.ingest.app import Ingest
    from tests.unit.ingest.calling import Caller

    monkeypatch.setattr(pipeline, "_pipeline", None)
    found = Caller(Ingest(), issued[1])
    yield found
    found.close()
    pipeline.pipeline().close()
