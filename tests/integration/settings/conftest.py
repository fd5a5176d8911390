"""A town with one of everything that somebody may change. Models are imported when a fixture runs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


@pytest.fixture(autouse=True)
def _no_events_are_left(request):
    """After tests that store events: the data plane's tables are no models, so Django does not empty them."""
    mark = request.node.get_closest_marker("django_db")
    stores = mark is not None and mark.kwargs.get("transaction", False)
    if stores:
        request.getfixturevalue("transactional_db")
    yield
    if stores:
        from tests.integration import rows as write

        write.empty()


@pytest.fixture
def mara(client):
    """An administrator, signed in."""
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.create_superuser("mara", password="signal-box-9", is_staff=True)
    client.force_login(user)
    return user


@pytest.fixture
def lena(db):
    """An editor of the team Shop; not signed in."""
    from django.contrib.auth import get_user_model

    from catalog.models import Profile

    user = get_user_model().objects.create_user("lena", password="signal-box-9", email="lena@example.com")
    Profile.objects.create(user=user, role=Profile.Role.EDITOR)
    return user


@pytest.fixture
def town(mara, lena, monkeypatch):
    """Two teams, a bus, a source, an event type, a rule with a target, a bin, a token, a draft and wishes."""
    from catalog import facts
    from catalog.models import (
        Approval,
        Bus,
        Domain,
        Draft,
        EventType,
        SchemaVersion,
        Source,
        Team,
        Token,
        Wanted,
    )
    from delivery.models import RequestBin
    from rules.models import Rule, Target
    from rules.revisions import subscribe
    from tests.integration.catalog.shop import EXAMPLE, SCHEMA, FakeLog

    monkeypatch.setattr(facts, "_facts", FakeLog())
    team = Team.objects.create(name="Shop", slug="shop")
    other = Team.objects.create(name="Billing", slug="billing")
    team.members.add(mara, lena)
    bus = Bus.objects.create(name="main", team=None)
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
    source = Source.objects.create(name="Shop", slug="shop", uri="/shop/checkout", bus=bus, team=team)
    placed = EventType.objects.create(
        name="order.placed",
        summary="A customer committed to buy.",
        domain=domain,
        team=team,
        personal=["order_id"],
    )
    placed.sources.add(source)
    SchemaVersion.objects.create(event_type=placed, number=1, schema=SCHEMA, example=EXAMPLE)
    token, _text = Token.issue(name="checkout", team=team, bus=bus)
    rule = Rule(name="Orders to Billing", bus=bus, team=team, pattern={"type": ["order.placed"]})
    config = {"url": "http://127.0.0.1:8999/hook", "headers": {"Authorization": "Bearer s3cret"}}
    target = Target(name="Billing", connector="http", config=config, transform={"kind": "complete"})
    subscribe(rule, target, mara)
    return SimpleNamespace(
        team=team,
        other=other,
        bus=bus,
        domain=domain,
        source=source,
        type=placed,
        team_id=team.pk,
        domain_id=domain.pk,
        sources=placed.sources,
        token=token,
        rule=rule,
        target=target,
        bin=RequestBin.objects.create(name="Bin", team=team),
        draft=Draft.objects.create(name="order.lost", created_by=mara, content={"name": "order.lost"}),
        wanted=Wanted.objects.create(name="invoice.overdue", why="Reminders.", created_by=lena),
        approval=Approval.objects.create(event_type=placed, team=other, reason="Letters.", asked_by=lena),
    )
