"""The generator's manners: one of it, off when switched off, the same event again until it is answered."""

from __future__ import annotations

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from delivery.demo import generator as module
from delivery.demo import trouble, welcome
from delivery.demo.generator import Generator, Reply
from delivery.demo.town import GENERATOR
from delivery.models import Switch

FACTS = welcome.Facts(user="demo", password="p", token="sbx_1_2", bus="demo-bus")


class Ingest:
    """Answers what it is told to, and ends the run with its last answer."""

    def __init__(self, stopping: threading.Event, answers: list[tuple[int | None, float]]) -> None:
        self.stopping, self.answers = stopping, answers
        self.posted: list[dict[str, Any]] = []

    def post(self, facts: welcome.Facts, body: bytes) -> Reply:
        self.posted.append(json.loads(body))
        status, after = self.answers.pop(0)
        if not self.answers:
            self.stopping.set()
        return Reply(status, after, "data.colour is wrong" if (status or 0) >= 400 else "")

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    settings.VAR = tmp_path
    for name in ("LOOK_EVERY", "FIRST_WAIT", "LONGEST_WAIT", "SWITCH_EVERY"):
        monkeypatch.setattr(module, name, 0.01)


def run(answers: list[tuple[int | None, float]]) -> Ingest:
    stopping = threading.Event()
    generator = Generator(500.0, stopping, random.Random(1))
    ingest = Ingest(stopping, answers)
    generator._publisher = ingest  # type: ignore[assignment]
    generator._switched_on = lambda: True  # type: ignore[method-assign]
    welcome.remember(FACTS)
    generator.run()
    return ingest


def test_every_accepted_event_is_followed_by_another() -> None:
    posted = run([(202, 0)] * 5).posted
    assert len({event["id"] for event in posted}) == 5


@pytest.mark.parametrize("status", [None, 429, 500, 503], ids=str)
def test_an_event_that_was_not_taken_is_sent_again_with_its_id(status: int | None) -> None:
    posted = run([(status, 0), (status, 0), (202, 0), (202, 0)]).posted
    assert posted[0] == posted[1] == posted[2]
    assert posted[3]["id"] != posted[0]["id"]


def test_an_event_that_is_refused_is_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    posted = run([(422, 0), (202, 0)]).posted
    assert posted[0]["id"] != posted[1]["id"]
    assert "refuses events of the demo with 422: data.colour is wrong" in caplog.text


def test_a_refusal_is_noted_since_the_first_until_an_event_is_accepted() -> None:
    run([(401, 0)])
    first = trouble.found()
    assert first is not None
    assert first.reason == "data.colour is wrong"
    run([(401, 0), (401, 0)])
    assert trouble.found() == first
    run([(503, 0), (202, 0)])
    assert trouble.found() is None


@pytest.mark.django_db
def test_the_switch_is_off_when_it_says_so_and_where_there_is_none() -> None:
    def on() -> bool:
        return Generator(1.0, threading.Event())._switched_on()

    assert not on()
    switch = Switch.objects.create(name=GENERATOR)
    assert on()
    switch.on = False
    switch.save()
    assert not on()


def test_a_second_generator_waits_for_the_first(tmp_path: Path) -> None:
    first, second = threading.Event(), threading.Event()
    path = tmp_path / "demo.lock"
    with module._alone(path, first) as alone:
        assert alone
        threading.Timer(0.05, second.set).start()
        with module._alone(path, second) as also:
            assert not also
    with module._alone(path, first) as again:
        assert again


def test_without_a_database_the_switch_counts_as_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise DatabaseError("gone")

    monkeypatch.setattr(module.Switch.objects, "filter", broken)
    monkeypatch.setattr(module.connection, "close", lambda: None)
    assert not Generator(1.0, threading.Event())._switched_on()


@pytest.mark.parametrize(("text", "rate"), [("", 2.0), ("0.5", 0.5), ("200", 200.0)])
def test_the_rate_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, rate: float) -> None:
    monkeypatch.setenv("SIGNALBOX_DEMO_RATE", text)
    assert module.rate() == rate


@pytest.mark.parametrize("text", ["fast", "0", "-1", "501", "nan"])
def test_a_rate_that_makes_no_sense_is_said(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SIGNALBOX_DEMO_RATE", text)
    with pytest.raises(ImproperlyConfigured, match="events per second"):
        module.rate()
