"""The curl lines and the programs of the documentation do what it says, as they are written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.processes import Town, Towns, eventually
from tests.vectors import REPOSITORY

ADDRESS = "http://127.0.0.1:8000"
TOKEN = "sbx_…"


def blocks(file: str, beginning: str) -> list[str]:
    """The fenced blocks of `file` whose text begins so."""
    found = re.findall(r"^```\w*\n(.*?)^```$", (REPOSITORY / file).read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in found if block.startswith(beginning)]


@pytest.fixture(scope="module")
def demo(towns: Towns) -> Iterator[Town]:
    with towns.new() as town:
        town.manage("demo")
        town.start("web")
        yield town


def as_pasted(text: str, town: Town) -> str:
    """With the address and the token that the terminal printed."""
    token = json.loads((town.var / "demo.json").read_text())["token"]
    assert ADDRESS in text
    return text.replace(ADDRESS, town.url).replace(TOKEN, token)


def shell(line: str, town: Town) -> str:
    done = subprocess.run(
        ["sh", "-c", as_pasted(line, town)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("file", ["README.md", "docs/first-event.md"])
def test_every_line_that_publishes_is_accepted(demo: Town, file: str) -> None:
    lines = blocks(file, "curl -i ")
    assert lines
    for line in lines:
        answer = shell(line, demo)
        assert " 202 " in answer.splitlines()[0], answer
        entry = json.loads(answer.splitlines()[-1])["accepted"][0]
        assert {"id", "source", "seq"} <= set(entry)


def arrived(town: Town) -> list[dict[str, str]]:
    """The headers of what the demo's request bin received, oldest first."""
    found = town.query("SELECT headers FROM delivery_binrequest ORDER BY id")
    return [dict(json.loads(headers)) for (headers,) in found]


def test_the_line_of_the_readme_is_delivered_to_a_bin_once_and_sent_again_changes_nothing(
    towns: Towns,
) -> None:
    [line] = blocks("README.md", "curl -i ")
    with towns.new() as town:
        town.manage("demo")
        town.start("web", "worker")
        first = json.loads(shell(line, town).splitlines()[-1])["accepted"][0]
        assert "duplicate" not in first
        eventually(lambda: arrived(town) != [], "the request bin of the demo received it")
        second = json.loads(shell(line, town).splitlines()[-1])["accepted"][0]
        assert second == first | {"duplicate": True}
        assert [(one["ce-id"], one["ce-subject"]) for one in arrived(town)] == [
            ("my-first-event", "my-parcel")
        ]


def test_the_line_of_rocketmq_eventbridge_s_readme_works_without_a_token(demo: Town) -> None:
    [line] = blocks("README.md", "curl -X POST")
    answer = json.loads(shell(line, demo))
    assert (answer["code"], answer["failedEntryCount"]) == ("Success", 0)
    assert answer["entryList"][0]["eventId"] == "1234-1234-1234"


def test_the_python_program_publishes(demo: Town) -> None:
    [program] = blocks("clients/README.md", "import urllib.request")
    done = subprocess.run(
        [sys.executable, "-c", as_pasted(program, demo)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("202 ")
