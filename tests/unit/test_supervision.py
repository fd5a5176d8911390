"""The parts of `manage.py up` that need no process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from celery.signals import worker_shutting_down

from delivery.supervision.address import CannotListen, listen, url
from delivery.supervision.backoff import BackOff
from delivery.supervision.claim import AlreadyRunning, Claim
from delivery.supervision.stopping import asked_to_stop
from delivery.supervision.welcome import banner
from tests.vectors import REPOSITORY


def test_a_child_that_keeps_dying_waits_longer_each_time_up_to_five_seconds() -> None:
    back_off = BackOff()
    assert [back_off.after(lived=0.1) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_child_that_lived_thirty_seconds_is_started_again_at_once() -> None:
    back_off = BackOff()
    for _ in range(5):
        back_off.after(lived=1)
    assert back_off.after(lived=30) == 0.2
    assert back_off.after(lived=1) == 0.4


def test_a_second_claim_on_a_folder_names_the_first_and_what_to_do(tmp_path: Path) -> None:
    first = Claim(tmp_path)
    first.describe("http://127.0.0.1:8000", {"web": 1})
    with pytest.raises(
        AlreadyRunning, match=rf"process {os.getpid()} at http://127.0.0.1:8000 .* SIGNALBOX_VAR="
    ):
        Claim(tmp_path)
    first.release()
    Claim(tmp_path).release()


def test_a_taken_port_is_said_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CannotListen, match=rf"Port {port} on 127.0.0.1 is taken .* make up PORT={port + 1}"
        ):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("port", [80000, -1])
def test_what_is_no_port_is_said(port: int) -> None:
    with pytest.raises(CannotListen, match=rf"{port} is no port; ports go from 1 to 65535"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("signalbox.internal", "http://signalbox.internal:8000"),
    ],
)
def test_the_address_that_is_shown_can_be_opened_on_this_machine(host: str, expected: str) -> None:
    assert url(host, 8000) == expected


def test_the_line_of_the_first_event_is_an_event_that_the_demo_s_catalog_and_a_demo_rule_take() -> None:
    from jsonschema import Draft202012Validator

    from delivery.demo import first_event
    from delivery.demo.catalog import TYPES

    line = first_event.curl("http://127.0.0.1:8000", "demo-bus", "token")
    body = subprocess.run(
        ["sh", "-c", line.replace("curl", "printf '%s\\0'", 1)], capture_output=True, text=True, check=True
    ).stdout.split("\0")[-2]
    event = json.loads(body)
    assert event == first_event.ATTRIBUTES | {"data": first_event.DATA}
    versions = json.loads((TYPES / f"{event['type']}.json").read_text())["versions"]
    Draft202012Validator(versions[-1]["schema"]).validate(event["data"])


def test_the_banner_shows_the_line_of_the_readme_and_where_its_event_is_seen() -> None:
    from delivery.demo import first_event
    from tests.vectors import REPOSITORY

    facts = FACTS | {"token": "sbx_…"}
    text = banner("http://127.0.0.1:8000", facts=facts, link=None, networks=[], var=Path("/var/s"))
    line = first_event.curl("http://127.0.0.1:8000", "demo-bus", "sbx_…")
    assert f"\n{line}\n" in text
    for file in ("README.md", "docs/first-event.md"):
        assert f"\n{line}\n" in (REPOSITORY / file).read_text(), file
        assert first_event.journey("http://127.0.0.1:8000") in (REPOSITORY / file).read_text(), file
    assert first_event.journey("http://127.0.0.1:8000") in text


def test_running_tasks_learn_that_the_worker_is_asked_to_stop() -> None:
    try:
        worker_shutting_down.send(sender="worker@here", sig="SIGTERM", how="Warm", exitcode=0)
        assert asked_to_stop.is_set()
    finally:
        asked_to_stop.clear()


FACTS = {"user": "demo", "password": "amber-tram", "token": "sbt_1", "bus": "demo-bus"}


@pytest.mark.parametrize(
    ("facts", "link", "said", "not_said"),
    [
        (FACTS, None, "Sign in  demo / amber-tram", "Begin"),
        (None, "/setup/abc/", "once: http://127.0.0.1:8000/setup/abc/", "Sign in"),
        (None, None, "Signalbox is running: http://127.0.0.1:8000", "Begin"),
    ],
)
def test_the_banner_says_how_to_begin(
    facts: dict[str, str] | None, link: str | None, said: str, not_said: str
) -> None:
    text = banner(
        "http://127.0.0.1:8000", facts=facts, link=link, networks=["127.0.0.0/8"], var=Path("/var/s")
    )
    assert said in text
    assert not_said not in text
    assert "127.0.0.0/8" in text


def test_the_banner_says_nothing_of_local_targets_where_they_are_not_allowed() -> None:
    text = banner("http://127.0.0.1:8000", facts=None, link=None, networks=[], var=Path("/var/s"))
    assert "Targets" not in text


def test_another_python_is_told_which_one_to_use() -> None:
    # -S leaves out what is installed.
    ended = subprocess.run(
        [sys.executable, "-S", "manage.py", "check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ".venv/bin/python manage.py" in ended.stderr or "make up" in ended.stderr
