"""Signed deliveries, verified by the npm library of Standard Webhooks and by Node's own Ed25519."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from pathlib import Path

import pytest

from delivery.connectors.http import signing
from tests.integration.receiver import Receiver, Request, delivery, opened

pytestmark = pytest.mark.service("npm")


async def signed(mode: str, keys: dict[str, str]) -> Request:
    async with Receiver() as receiver, opened(receiver.url(), mode=mode, signing_keys=keys) as target:
        await target.send(delivery())
        return receiver.requests[0]


def test_the_npm_library_takes_every_mode_for_genuine_and_nothing_that_was_changed(npm_folder: Path) -> None:
    keys = {
        "old": signing.generate("hmac"),
        "new": signing.generate("hmac"),
        "curve": signing.generate("ed25519"),
    }
    public = signing.key_of(keys["curve"]).shown
    lines, expected = [], []
    for mode in ("binary", "structured", "batched", "raw"):
        request = asyncio.run(signed(mode, keys))
        for key, body, genuine in (
            (keys["old"], request.body, True),
            (keys["new"], request.body, True),
            (public, request.body, True),
            (keys["new"], request.body + b" ", False),
            (public, request.body + b" ", False),
            (signing.generate("hmac"), request.body, False),
        ):
            encoded = base64.b64encode(body).decode()
            lines.append(json.dumps({"key": key, "headers": request.headers, "body": encoded}))
            expected.append(genuine)
    done = subprocess.run(
        ["node", "verify.js"],
        cwd=npm_folder, input="\n".join(lines), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    answers = done.stdout.splitlines()
    assert [answer == "genuine" for answer in answers] == expected, answers
