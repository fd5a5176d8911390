"""Requests to the API for rules, and what they ask."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

TEST, EXPLAIN, PREVIEW = "/api/v1/patterns:test", "/api/v1/patterns:explain", "/api/v1/transforms:preview"


CONVERT = "/api/v1/transforms:convert"


DEEP = '{"pattern": ' + "[" * 50_000 + "]" * 50_000 + "}"


SEK = {"data": {"currency": ["SEK"]}}


def event(currency: str = "SEK", **attributes: Any) -> dict[str, Any]:
    base = {"specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.placed"}
    return base | attributes | {"data": {"currency": currency}}


def ask(client: Client, url: str, body: Any, **headers: str) -> HttpResponse:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(url, text, content_type="application/json", headers=headers)  # type: ignore[arg-type]


def answer(client: Client, url: str, body: Any, status: int = 200) -> Any:
    response = ask(client, url, body)
    assert response.status_code == status, response.content
    expected = "application/json" if status == 200 else "application/problem+json"
    assert response.headers["Content-Type"] == expected
    return json.loads(response.content)
