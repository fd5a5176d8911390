"""An empty log, a bus, and a server that keeps what it is sent. Models are imported when a fixture runs: a conftest may be read before Django is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from catalog.models import Bus
    from tests.integration.rule_preview.tried import Receiver


@pytest.fixture
def sink() -> Iterator[Receiver]:
    from tests.integration.rule_preview.tried import Receiver

    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    yield receiver
    receiver.shutdown()
    receiver.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def an_empty_log(transactional_db: None) -> Iterator[None]:
    from tests.integration import rows as write

    write.empty()
    yield
    write.empty()


@pytest.fixture
def bus() -> Bus:
    from catalog.models import Bus, Team

    Team.objects.create(name="Shop", slug="shop")
    return Bus.objects.create(name="main")


@pytest.fixture
def someone(client: Client, bus: Bus) -> Client:
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client
