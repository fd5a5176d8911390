"""The generator against a real web process: what it posts arrives, also across a kill -9, until it is switched off."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from delivery.demo import generator as module
from delivery.demo import trouble
from delivery.demo.generator import Generator
from delivery.demo.town import GENERATOR
from delivery.models import Switch
from tests.processes import Town, eventually

pytestmark = pytest.mark.django_db(transaction=True)

# As the console does it: saved one by one, so that the ingest of every process learns of it.
REVOKE = """
from catalog.models import Token
for token in Token.objects.all():
    token.revoked_at = "2026-01-01T00:00Z"
    token.save()
"""


def stored(town: Town) -> list[tuple[str, str, int | None]]:
    """Id, type and validity of all events in the town's log."""
    return town.query("SELECT ce_id, type, valid FROM log_event ORDER BY seq")


@pytest.fixture
def demo(town: Town, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The demo in a web process; the generator of this process posts to it and reads the switch of the test database."""
    town.manage("demo")
    settings.VAR, settings.HOST, settings.PORT = str(town.var), "127.0.0.1", town.port
    monkeypatch.setattr(module, "SWITCH_EVERY", 0.05)
    monkeypatch.setattr(module, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.2)
    Switch.objects.create(name=GENERATOR)
    return town


@contextmanager
def generating() -> Iterator[threading.Thread]:
    stopping = threading.Event()
    thread = threading.Thread(target=Generator(100.0, stopping).run)
    thread.start()
    try:
        yield thread
    finally:
        stopping.set()
        thread.join(30)
    assert not thread.is_alive()


def test_what_it_posts_is_accepted_as_valid(demo: Town) -> None:
    demo.start("web")
    with generating():
        eventually(lambda: len(stored(demo)) >= 60, "60 events are stored")
    events = stored(demo)
    # But for a type that nobody registered, and for one whose detectors fail at times.
    assert {valid for _, name, valid in events if name not in ("till.opened", "congestion.measured")} == {1}
    assert "signal.changed" in {type_name for _, type_name, _ in events}


def test_it_waits_for_a_web_process_that_was_killed_and_goes_on_without_a_gap(
    demo: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    as_json = module.as_json

    def remembered(happening: Any) -> bytes:
        body = as_json(happening)
        told.append(module.json.loads(body)["id"])
        return body

    monkeypatch.setattr(module, "as_json", remembered)
    demo.start("web")
    with generating():
        eventually(lambda: len(stored(demo)) >= 20, "20 events are stored")
        demo.kill("web")
        demo.start("web")
        before = len(stored(demo))
        eventually(lambda: len(stored(demo)) >= before + 20, "20 more events are stored")
    ids = [id_ for id_, _, _ in stored(demo)]
    assert set(Counter(ids).values()) == {1}
    # The one it was at when it was told to stop may be missing.
    assert ids == told[: len(ids)]
    assert len(told) - len(ids) <= 1


def test_switched_off_it_posts_nothing_and_switched_on_it_goes_on(demo: Town) -> None:
    demo.start("web")
    with generating() as thread:
        eventually(lambda: len(stored(demo)) >= 5, "5 events are stored")
        Switch.objects.filter(name=GENERATOR).update(on=False)
        eventually(lambda: _is_quiet(demo), "no event comes any more")
        quiet = len(stored(demo))
        assert thread.is_alive()
        Switch.objects.filter(name=GENERATOR).update(on=True)
        eventually(lambda: len(stored(demo)) > quiet, "events come again")


def test_refused_because_its_token_was_revoked_it_says_so_and_goes_on_with_a_new_one(demo: Town) -> None:
    demo.start("web")
    with generating():
        eventually(lambda: len(stored(demo)) >= 5, "5 events are stored")
        demo.manage("shell", "-c", REVOKE)
        eventually(lambda: trouble.found() is not None, "the refusal is noted")
        found = trouble.found()
        assert found is not None
        assert "not known or was revoked" in found.reason
        demo.manage("shell", "-c", "from delivery.demo.town import renew_token; print(renew_token())")
        eventually(lambda: trouble.found() is None, "an event was accepted again")


def _is_quiet(town: Town) -> bool:
    before = len(stored(town))
    threading.Event().wait(0.5)
    return len(stored(town)) == before
