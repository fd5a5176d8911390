"""Fixtures of the catalog's pages: who is signed in, what the log says, one event type on the shelf."""

from __future__ import annotations

import pytest

# pytest loads this file before Django is set up: what has models is imported where it is used.
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, FakeLog


@pytest.fixture
def log(monkeypatch):
    """A log that knows what the test tells it, in the place of delivery's."""
    from catalog import facts

    fake = FakeLog()
    monkeypatch.setattr(facts, "_facts", fake)
    return fake


@pytest.fixture
def person(client):
    """An administrator, signed in."""
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.create_superuser("mara", password="signal-box-9")
    client.force_login(user)
    return user


@pytest.fixture
def colleague(db):
    """Somebody who may register and change types, in no team; not signed in."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Permission

    user = get_user_model().objects.create_user("lena", password="signal-box-9")
    names = ("view_eventtype", "add_eventtype", "change_eventtype", "add_schemaversion", "view_rule")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def town():
    """A bus, a team, a domain, a source and one event type at version 1."""
    from catalog.models import Bus, Domain, EventType, SchemaVersion, Source, Team

    team = Team.objects.create(name="Checkout", slug="checkout")
    bus = Bus.objects.create(name="main", retention_days=90)
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
    source = Source.objects.create(name="Shop", slug="shop", uri="/shop/checkout", bus=bus, team=team)
    placed = EventType.objects.create(
        name="order.placed", summary="A customer committed to buy.", domain=domain, team=team
    )
    placed.sources.add(source)
    SchemaVersion.objects.create(event_type=placed, number=1, schema=SCHEMA, example=EXAMPLE)
    return placed


@pytest.fixture
def link(settings, tmp_path):
    """The address that makes the first administrator, once."""
    from catalog import setup

    settings.VAR = tmp_path
    return setup.one_time_link()
