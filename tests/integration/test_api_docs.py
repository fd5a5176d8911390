"""The examples in docs/api.md are what the API answers."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.vectors import REPOSITORY

DOCS = (REPOSITORY / "docs" / "api.md").read_text()
EXAMPLE = re.compile(
    r"<!-- POST (\S+) -->\n```json\n(.*?)\n```\n\n<!-- (\d+) -->\n```json\n(.*?)\n```", re.DOTALL
)
EXAMPLES = EXAMPLE.findall(DOCS)


def test_every_operation_has_an_example() -> None:
    from rules.api.urls import urlpatterns

    named = {f"/api/v1/{pattern.pattern}" for pattern in urlpatterns if pattern.name != "api-elsewhere"}
    assert {url for url, *_ in EXAMPLES} == named
    assert all(url in DOCS for url in named)


@pytest.mark.django_db
@pytest.mark.parametrize(("url", "asked", "status", "answered"), EXAMPLES)
def test_an_example_is_answered_as_written(
    client: Client, url: str, asked: str, status: str, answered: str
) -> None:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    response = client.post(url, asked, content_type="application/json")
    assert (response.status_code, json.loads(response.content)) == (int(status), json.loads(answered))
