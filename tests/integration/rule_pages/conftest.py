"""A town with one bus, one event type and one saved rule. Models are imported when a fixture runs: a conftest may be read before Django is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from catalog.models import Bus
    from rules.models import Rule


@pytest.fixture
def town() -> Bus:
    from catalog.models import Bus, Domain, EventType, SchemaVersion, Source, Team
    from tests.integration.rule_pages.editor_form import SCHEMA

    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Shop", slug="shop")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", team=team)
    source = Source.objects.create(name="Shop", slug="shop", uri="/shop", bus=bus, team=team)
    made = EventType.objects.create(
        name="order.placed", summary="A customer ordered.", domain=domain, team=team
    )
    made.sources.add(source)
    SchemaVersion.objects.create(
        event_type=made, number=1, schema=json.dumps(SCHEMA), example='{"total": 9.5}'
    )
    return bus


@pytest.fixture
def someone(client: Client, town: Bus) -> Client:
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


@pytest.fixture
def saved(town: Bus) -> Rule:
    """A saved rule with one HTTP target that has a secret header."""
    from catalog.models import Team
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    rule = Rule(
        name="Large orders", bus=town, team=Team.objects.get(slug="shop"), pattern={"type": ["order.placed"]}
    )
    config = {"url": "http://127.0.0.1:8999/hook", "headers": {"Authorization": "Bearer s3cret"}}
    target = Target(name="Billing", connector="http", config=config, transform={"kind": "complete"})
    return subscribe(rule, target)
