"""`manage.py up` as a person runs it: real processes, real signals, a folder and a port of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.supervision import lifeline
from delivery.supervision.parent import STOP_WITHIN, TOO_SLOW
from tests.processes import COMMANDS, Town, alive, eventually

# Five seconds are the promise to the person who presses Ctrl-C. The parent kills what has not stopped after four
# (STOP_WITHIN); a machine that runs other tests meanwhile is given as much again to notice.
STOPS_WITHIN = 5.0
NOTICED_WITHIN = 2 * STOPS_WITHIN


def gone(pids: list[int]) -> bool:
    return not any(alive(pid) for pid in pids)


def started(town: Town) -> list[int]:
    town.start("up")
    return list(town.children().values())


def freeze_worker(town: Town) -> None:
    """Stops the worker once it takes signals in its own way: before, the stop signal alone ends it."""
    town.wait_for_worker()
    pid = town.signal_child("worker", signal.SIGSTOP)
    eventually(
        lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T",
        "the worker stands still",
    )


def test_up_migrates_an_empty_folder_answers_and_says_where(new_town: Callable[..., Town]) -> None:
    town = new_town(migrated=False)
    started(town)
    assert town.request("GET", "/livez").status == 200
    eventually(lambda: f"Signalbox is running: {town.url}" in town.output(), "the banner is printed")
    assert "127.0.0.0/8" in town.output()


def test_up_with_an_empty_signalbox_prints_a_link_for_the_first_administrator(town: Town) -> None:
    started(town)
    eventually(lambda: f"{town.url}/setup/" in town.output(), "the one-time link is printed")
    assert "Sign in" not in town.output()


def test_up_with_the_demo_prints_its_sign_in_and_a_curl_line(new_town: Callable[..., Town]) -> None:
    town = new_town(environment={"DEMO": "1"})
    started(town)
    eventually(lambda: "Sign in  demo / " in town.output(), "the demo's user is named")
    assert (
        f"curl -i {town.url}/v1/buses/demo-bus/events \\\n  -H 'Authorization: Bearer sbx_" in town.output()
    )
    assert f"See it   {town.url}/find/?q=my-first-event" in town.output()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_ends_everything_within_five_seconds(town: Town, number: int) -> None:
    children = started(town)
    town.wait_for_worker()
    before = time.monotonic()
    assert town.stop("up", number) == 0
    assert time.monotonic() - before < NOTICED_WITHIN
    assert gone(children)
    assert "Traceback" not in town.output()


def test_a_second_ctrl_c_does_not_wait_for_a_child_that_hangs(town: Town) -> None:
    children = started(town)
    freeze_worker(town)
    town.processes["up"].send_signal(signal.SIGINT)
    eventually(lambda: not alive(children[0]), "the web child stopped")
    assert town.processes["up"].poll() is None
    assert town.stop("up", signal.SIGINT) == 0
    assert gone(children)


def test_a_child_that_hangs_is_killed_within_five_seconds(town: Town) -> None:
    children = started(town)
    freeze_worker(town)
    before = time.monotonic()
    assert town.stop("up", signal.SIGINT) == 0
    assert time.monotonic() - before < NOTICED_WITHIN
    assert f"The worker process {TOO_SLOW}" in town.output()
    assert gone(children)


def test_children_stop_by_themselves_when_the_parent_is_killed(town: Town) -> None:
    children = started(town)
    town.wait_for_worker()
    town.kill("up")
    eventually(
        lambda: gone(children), "both children noticed that their parent is gone", within=NOTICED_WITHIN
    )


def test_what_hangs_is_killed_early_enough_to_end_within_five_seconds() -> None:
    assert max(STOP_WITHIN, lifeline.GRACE) <= STOPS_WITHIN - 1


def test_up_can_be_started_at_once_after_the_parent_was_killed(town: Town) -> None:
    before = started(town)
    town.kill("up")
    after = started(town)
    assert gone(before)
    assert not set(before) & set(after)


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_killed_child_is_started_again(town: Town, name: str) -> None:
    started(town)
    killed = town.kill_child(name)
    eventually(lambda: town.children().get(name, killed) != killed, f"a new {name} child")
    assert town.request("GET", "/livez").status == 200
    assert f"The {name} process ended" in town.output()
    assert "SIGKILL" in town.output()


def test_connections_wait_while_the_web_child_is_started_again(town: Town) -> None:
    started(town)
    for _ in range(3):
        town.kill_child("web")
        # The parent keeps the listening socket: at no moment is a connection refused. One that the killed child had
        # accepted already is reset, so each of these is new.
        assert town.request("GET", "/livez").status == 200
        eventually(lambda: alive(town.children()["web"]), "the new web child runs")


def test_a_second_up_on_the_same_folder_is_refused_with_a_sentence(town: Town) -> None:
    started(town)
    second = subprocess.run(COMMANDS["up"], env=town.environment, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"Signalbox runs here already: process {town.processes['up'].pid} at {town.url}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_refused_with_the_remedy(town: Town, new_town: Callable[..., Town]) -> None:
    town.start("web")
    other = new_town(environment={"SIGNALBOX_PORT": str(town.port)})
    refused = subprocess.run(
        COMMANDS["up"], env=other.environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert f"make up PORT={town.port + 1}" in refused.stderr


@pytest.mark.parametrize("port", ["80000", "0", "-1", "abc", "80 80"])
def test_what_is_no_port_is_refused_with_a_sentence(new_town: Callable[..., Town], port: str) -> None:
    town = new_town(environment={"SIGNALBOX_PORT": port})
    refused = subprocess.run(
        COMMANDS["up"], env=town.environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == (
        f"Signalbox cannot start. SIGNALBOX_PORT is {port!r}; it must be a port (make up PORT=8001) from 1 to 65535.\n"
    )


def test_a_revoked_token_of_the_demo_is_replaced_at_the_next_start(new_town: Callable[..., Town]) -> None:
    town = new_town(environment={"DEMO": "1"})
    town.manage("demo")
    before = json.loads((town.var / "demo.json").read_text())["token"]
    town.manage(
        "shell",
        "-c",
        "from catalog.models import Token; Token.objects.update(revoked_at='2026-01-01T00:00Z')",
    )
    started(town)
    eventually(lambda: "Publish  " in town.output(), "the banner is printed")
    after = json.loads((town.var / "demo.json").read_text())["token"]
    assert after != before
    assert after in town.output()
    assert before not in town.output()


@pytest.mark.parametrize("name", ["web", "worker", "work", "celery"])
def test_a_process_by_itself_stops_on_sigterm_with_status_zero(town: Town, name: str) -> None:
    town.start(name)
    assert town.stop(name) == 0
    assert "Traceback" not in town.output()


def test_runserver_serves_what_is_not_django_too(town: Town) -> None:
    town.start("runserver")
    assert town.request("GET", "/livez").status == 200  # answered beside Django, which WSGI would not reach


def test_a_plain_celery_worker_with_the_broker_in_memory_rings_for_itself(town: Town) -> None:
    town.start("celery")
    eventually(
        lambda: "Task delivery.observe" in town.output(),
        "the worker received a doorbell that no other process rang",
    )


@pytest.mark.service("postgresql", "redis")
def test_web_and_worker_run_on_postgresql_and_redis(scaled_town: Town) -> None:
    scaled_town.start("web", "worker")
    assert scaled_town.request("GET", "/readyz").status == 200
    eventually(
        lambda: "Task delivery.observe" in scaled_town.output(),
        "the worker received a doorbell through Redis",
    )
    assert scaled_town.stop("worker") == 0
    assert scaled_town.stop("web") == 0
