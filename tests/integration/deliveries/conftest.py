"""A bus with one rule and one target, a signed-in administrator, and an empty log."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

# pytest loads this file before Django is set up: what has models is imported where it is used.
if TYPE_CHECKING:
    from django.test import Client


@pytest.fixture(autouse=True)
def an_empty_log(transactional_db: None) -> Iterator[None]:
    """The data plane's tables are no models, so Django does not empty them between tests."""
    from tests.integration import rows as write

    yield
    write.empty()


@pytest.fixture
def town() -> SimpleNamespace:
    """A bus with a rule for Swedish orders that delivers to Billing."""
    from catalog.models import Bus, Domain, EventType, Team
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Shop", slug="shop")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", team=team)
    EventType.objects.create(name="order.placed", summary="A customer ordered.", domain=domain, team=team)
    rule = Rule(name="Swedish orders", bus=bus, team=team)
    rule.pattern = {"type": ["order.placed"], "data": {"currency": ["SEK"]}}
    config = {"url": "http://127.0.0.1:8999/hook?token=s3cret", "headers": {"Authorization": "Bearer s3cret"}}
    template = {"kind": "template", "template": '{"ref": "${data.ref}"}'}
    billing = Target(name="Billing", connector="http", config=config, transform=template)
    subscribe(rule, billing)
    return SimpleNamespace(bus=bus.pk, rule=rule, billing=billing)


@pytest.fixture
def someone(client: Client, town: SimpleNamespace) -> Client:
    """An administrator, signed in."""
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


@pytest.fixture
def shop(town: SimpleNamespace) -> Any:
    """The source that emits orders."""
    from catalog.models import Bus, EventType, Source, Team

    bus, team = Bus.objects.get(), Team.objects.get()
    source = Source.objects.create(name="Web shop", slug="web-shop", uri="/shop", bus=bus, team=team)
    EventType.objects.get().sources.add(source)
    return source


@pytest.fixture
def new_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a database of its own, whose stamps begin anew: nothing remembered may speak for it."""
    from delivery.tracking import topology
    from delivery.tracking.facts import LogFacts

    monkeypatch.setattr(topology, "reader", topology.Reader(LogFacts().rules_by_name))
