"""docs/http-target.md: its receivers verify what is sent, and each setting is told of."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from delivery.connectors.http import signing
from delivery.connectors.http.target import HTTPTarget
from tests.integration.receiver import Receiver, Request, delivery, opened

DOCS = (Path(__file__).parents[3] / "docs" / "http-target.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


def signed(key: str) -> Request:
    async def once() -> Request:
        async with Receiver() as receiver, opened(receiver.url(), signing_keys={"a": key}) as target:
            await target.send(delivery())
            return receiver.requests[0]

    return asyncio.run(once())


def test_the_python_receivers_take_a_delivery_for_genuine_and_nothing_else() -> None:
    hmac, curve = blocks("python")
    key = signing.generate("hmac")
    request = signed(key)
    names: dict[str, object] = {}
    exec(hmac.replace("whsec_…", key), names)
    receive, refused = names["receive"], names["WebhookVerificationError"]
    receive(request.headers, request.body)  # type: ignore[operator]
    with pytest.raises(refused):  # type: ignore[call-overload]
        receive(request.headers, request.body + b" ")  # type: ignore[operator]
    key = signing.generate("ed25519")
    request = signed(key)
    exec(curve.replace("whpk_…", signing.key_of(key).shown), names)
    is_genuine = names["is_genuine"]
    assert is_genuine(request.headers, request.body)  # type: ignore[operator]
    assert not is_genuine(request.headers, request.body + b" ")  # type: ignore[operator]


@pytest.mark.service("npm")
def test_the_node_receiver_takes_a_delivery_for_genuine_and_nothing_else(tmp_path: Path) -> None:
    import json

    key = signing.generate("ed25519")
    request = signed(key)
    source = blocks("js")[1].replace("whpk_…", signing.key_of(key).shown)
    (tmp_path / "receiver.mjs").write_text(source)
    (tmp_path / "headers.json").write_text(json.dumps(request.headers))
    (tmp_path / "body").write_bytes(request.body)
    (tmp_path / "try.mjs").write_text(
        'import { readFileSync } from "node:fs"; import { isGenuine } from "./receiver.mjs";'
        'const headers = JSON.parse(readFileSync("headers.json")), body = readFileSync("body");'
        "console.log(isGenuine(headers, body), isGenuine(headers, Buffer.concat([body, Buffer.from(' ')])));"
    )
    done = subprocess.run(
        ["node", "try.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.split() == ["true", "false"]


def test_every_mode_method_and_kind_of_authentication_is_told_of() -> None:
    properties = HTTPTarget.Config.schema()["properties"]
    for mode in properties["mode"]["enum"]:
        assert f"| {mode} |" in DOCS
    for method in properties["method"]["enum"]:
        assert f"`{method}`" in DOCS
    for word in ("Basic", "Bearer token", "API key", "OAuth 2.0 client credentials", "mTLS", "own authority"):
        assert word in DOCS
