"""Observers that are killed, overtaken, many, or told to stop."""

from __future__ import annotations

import random
import threading
import time

import pytest

from catalog.models import Observation
from delivery.observer import noting, work
from delivery.observer.work import Overtaken, claim, look, observe
from delivery.tracking.read import rows
from tests.databases import Database, in_thread
from tests.events import a_bus
from tests.integration.observer.looking import again, observed
from tests.integration.rows import store

# ── killed, frozen, overtaken ──


def test_a_worker_that_fails_before_its_commit_has_noted_nothing_and_the_next_notes_all(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = a_bus().pk
    for _ in range(3):
        store(bus, data={"a": 1})
    turn = claim()
    assert turn is not None
    original = noting.write

    def killed(notes: noting.Notes) -> None:
        original(notes)
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        look(turn, random.Random(1))
    monkeypatch.setattr(work, "write", original)
    assert Observation.objects.count() == 0
    assert rows("SELECT * FROM rollup_source") == []
    assert observe() == 0  # Its turn lasts until it lapses.
    assert again() == 1
    assert observed() == [("/shop", 3, 3)]
    assert rows("SELECT events FROM rollup_source") == [(3,)]


def test_a_worker_that_was_overtaken_notes_nothing(log_database: Database) -> None:
    bus = a_bus().pk
    store(bus, data={})
    slow = claim()
    assert slow is not None
    assert again() == 1
    with pytest.raises(Overtaken):
        look(slow, random.Random(1))
    assert observed() == [("/shop", 1, 1)]


KILLED = """
import os, sys
from delivery.observer import work
write = work.write
def killed(notes):
    write(notes)
    os.kill(os.getpid(), 9)
work.write = killed
work.observe()
"""


def test_what_a_killed_process_was_writing_is_noted_once(log_database: Database) -> None:
    bus = a_bus().pk
    for number in range(5):
        store(bus, data={"number": number})
    log_database.run(KILLED, status=-9)
    assert observed() == []
    assert again() == 1
    assert observed() == [("/shop", 5, 5)]


def test_several_workers_note_each_event_once(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "EVERY", 0)
    monkeypatch.setattr(work, "PART", 7)
    monkeypatch.setattr(work, "REST", 0)
    bus = a_bus().pk
    for number in range(40):
        store(bus, data={"number": number}, source=f"/s/{number % 3}")
    waiting = [in_thread(lambda: observe(stay=3)) for _ in range(3)]
    for ended in waiting:
        ended()
    again()
    assert sum(events for _, events, _ in observed()) == 40
    [(counted,)] = rows("SELECT sum(events) FROM rollup_source")
    assert counted == 40


def test_it_stops_when_it_is_told_to(log_database: Database) -> None:
    stop = threading.Event()
    stop.set()
    store(a_bus().pk)
    began = time.monotonic()
    assert observe(stop.is_set) == 0
    assert time.monotonic() - began < 1
