"""An empty log, and a town with one rule. Models are imported when a fixture runs: a conftest may be read before Django is."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

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
    from catalog.models import Bus, Team
    from rules.models import Rule
    from rules.revisions import save_rule
    from tests.integration.rules_api.asking import SEK

    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Shop", slug="shop")
    rule = save_rule(Rule(name="Swedish orders", bus=bus, team=team, pattern=SEK))
    return SimpleNamespace(bus=bus, team=team, rule=rule)


@pytest.fixture
def someone(client: Client, town: SimpleNamespace) -> Client:
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client
