"""The npm CloudEvents SDK as a client: in each mode it has, over a real socket."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.published import EVENTS, Publisher, assert_same, started, whole
from tests.processes import Towns

pytestmark = pytest.mark.service("npm")

EMITTER = ("emitter binary", "emitter structured")
MODES = (*EMITTER, "HTTP.binary", "HTTP.structured")
# What the SDK states when nothing is said.
STATED = "application/json; charset=utf-8"


@pytest.fixture(scope="module")
def publisher(towns: Towns) -> Iterator[Publisher]:
    with towns.new() as town:
        yield started(town)


def source_of(mode: str) -> str:
    return f"/npm/{mode.replace(' ', '-')}"


def for_npm(event: dict[str, Any]) -> dict[str, Any]:
    data = event.get("data")
    if not isinstance(data, bytes):
        return event
    return {
        **{name: value for name, value in event.items() if name != "data"},
        "base64": b64encode(data).decode(),
    }


def publish(folder: Path, publisher: Publisher, sends: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `publish.js` was answered to each of `sends`."""
    done = subprocess.run(
        ["node", "publish.js"],
        cwd=folder,
        input=json.dumps({"url": publisher.url, "token": publisher.token, "sends": sends}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.fixture(scope="module")
def answers(npm_folder: Path, publisher: Publisher) -> dict[tuple[str, str], dict[str, Any]]:
    """What every event was answered in every mode, published by one run of node."""
    sends = [(mode, name) for mode in MODES for name in EVENTS]
    found = publish(
        npm_folder,
        publisher,
        [{"mode": mode, "event": for_npm(whole(name, source_of(mode)))} for mode, name in sends],
    )
    return dict(zip(sends, found, strict=True))


def cannot(mode: str, name: str) -> str | None:
    """What the SDK itself does not do, by the words of its error."""
    if (mode, name) == ("emitter binary", "no-data"):
        return "ERR_INVALID_ARG_TYPE|chunk"  # its transport writes undefined
    if name == "subject-beyond-ascii" and mode.endswith("binary"):
        return "ERR_INVALID_CHAR|Invalid character|ByteString"  # it does not percent-encode
    return None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", EVENTS)
def test_what_the_sdk_publishes_is_stored_attribute_by_attribute(
    publisher: Publisher, answers: dict[tuple[str, str], dict[str, Any]], mode: str, name: str
) -> None:
    answer = answers[mode, name]
    if (words := cannot(mode, name)) is not None:
        assert any(word in answer["error"] for word in words.split("|")), answer
        return
    assert "error" not in answer
    assert answer.get("status", 202) == 202
    [accepted] = json.loads(answer["body"])["accepted"]
    source = source_of(mode)
    assert (accepted["id"], accepted["source"]) == (name, source)
    wanted = whole(name, source)
    if mode.endswith("binary"):
        wanted.setdefault("datacontenttype", STATED)
    assert_same(publisher.stored(source, name), wanted)


def test_events_of_the_sdk_make_a_batch(npm_folder: Path, publisher: Publisher) -> None:
    """The SDK reads batches and does not write them; a batch is the array of what it writes in structured mode."""
    source = "/npm/batch"
    [answer] = publish(npm_folder, publisher, [{"batch": [for_npm(whole(name, source)) for name in EVENTS]}])
    assert answer["status"] == 202, answer
    assert [accepted["id"] for accepted in json.loads(answer["body"])["accepted"]] == list(EVENTS)
    for name in EVENTS:
        assert_same(publisher.stored(source, name), whole(name, source))
