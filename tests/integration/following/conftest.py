"""Databases for tests of following, and an event type. What has models is imported where it is used."""

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


@pytest.fixture(autouse=True)
def catalog(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty catalog and log, a pipeline of its own, mail kept in memory."""
    from django.contrib.auth import get_user_model
    from django.core import mail as outbox

    from catalog import changes
    from catalog.models import (
        Bus,
        Change,
        Domain,
        EventType,
        Follow,
        Notice,
        Observation,
        Reader,
        Source,
        Team,
        Token,
        Violation,
    )  # fmt: skip
    from delivery.ingest import pipeline
    from rules.models import Rule, Target
    from tests.integration.rows import empty

    empty()
    for model in (Notice, Follow, Reader, Observation, Violation, Target, Rule):
        model.objects.all().delete()
    # What Signalbox keeps of itself is made once for all tests: it takes a while.
    EventType.objects.exclude(domain__slug=changes.OWN).delete()
    Domain.objects.exclude(slug=changes.OWN).delete()
    Token.objects.all().delete()
    Source.objects.exclude(slug=changes.OWN).delete()
    Bus.objects.exclude(name=changes.SYSTEM).delete()
    Team.objects.exclude(slug=changes.OWN).delete()
    Change.objects.all().delete()  # of what was deleted
    get_user_model().objects.all().delete()
    monkeypatch.setattr(pipeline, "_pipeline", None)
    monkeypatch.setattr(outbox, "outbox", [], raising=False)
    yield
    pipeline.pipeline().close()


@pytest.fixture
def placed() -> Any:
    """An event type at version 1, whose registration was published before."""
    from django.utils import timezone

    from catalog.models import Bus, Change
    from delivery import announcing
    from tests.integration.following.town import register

    Bus.objects.create(name="main")
    found = register("order.placed")
    assert announcing.publish_changes() == 1
    Change.objects.update(told_at=timezone.now())
    return found
