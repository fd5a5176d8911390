"""The demo's receivers: healthy, refusing, slow; and not there without the demo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from delivery.demo import receivers as module
from delivery.demo import welcome


async def request(name: str, body: bytes = b"{}", method: str = "POST") -> tuple[int, dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    messages = [
        {"type": "http.request", "body": body[:1], "more_body": True},
        {"type": "http.request", "body": body[1:]},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "path": f"/demo/receivers/{name}", "method": method, "headers": []}
    await module.receivers(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.fixture(autouse=True)
def loaded(tmp_path: Path, settings: Any) -> None:
    settings.VAR = tmp_path
    welcome.remember(welcome.Facts(user="demo", password="p", token="sbx_1_2", bus="demo-bus"))


@pytest.mark.parametrize(
    ("name", "method", "body", "status"),
    [
        ("warehouse", "POST", b"{}", 200),
        ("warehouse", "PUT", b"not json", 200),
        ("warehouse/", "POST", b"{}", 200),
        ("warehouse", "GET", b"", 405),
        ("warehouse", "POST", b"x" * (1024 * 1024 + 1), 413),
        ("bakery", "POST", b"{}", 404),
        ("", "POST", b"{}", 404),
        ("billing", "POST", b'{"invoice_ref": "12345678901234567890"}', 200),
        ("billing", "POST", b'{"invoice_ref": "123456789012345678901"}', 422),
        ("billing", "POST", b'{"order_id": "order-1"}', 200),
        ("billing", "POST", b'{"order_id": "order-28193344-store-0042"}', 422),
        ("billing", "POST", b'{"invoice_ref": 7}', 422),
        ("billing", "POST", b"[1]", 422),
        ("billing", "POST", b"not json", 422),
    ],
)
async def test_a_receiver_answers(name: str, method: str, body: bytes, status: int) -> None:
    assert (await request(name, body, method))[0] == status


async def test_the_route_planner_thinks_before_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    for _ in range(50):
        assert (await request("route-planner"))[0] == 200
    assert len(slept) == 50
    assert all(0.3 <= seconds <= 1.5 for seconds in slept)


async def test_without_the_demo_there_are_no_receivers() -> None:
    welcome.path().unlink()
    assert (await request("warehouse"))[0] == 404
