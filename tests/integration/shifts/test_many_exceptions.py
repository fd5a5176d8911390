"""How many exceptions a target may have before nothing new is read for it, and which of them count."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from delivery.deadletters import asking
from delivery.deadletters.chosen import Chosen
from delivery.runner import sending
from delivery.tracking.words import State
from tests.events import a_target
from tests.integration.sink import Sink, a_sink, exceptions, on_duty, publish
from tests.processes import eventually

pytestmark = pytest.mark.usefixtures("log_database")
FEW = 5


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    monkeypatch.setattr(sending, "EXCEPTIONS", FEW)
    with a_sink() as found:
        yield found


@pytest.mark.parametrize("values", [{"order": "none"}, {"after_dead_letter": "continue"}], ids=str)
def test_dead_letters_that_nobody_waits_for_hold_up_nothing(sink: Sink, values: dict[str, str]) -> None:
    target = a_target(sink.url, **values)
    sink.answer = lambda path, name, subject, times: 422 if name.startswith("bad") else 200
    for (
        letter
    ) in "abc":  # Each finds more dead letters than there may be, by itself or by the shift that it relieves.
        names = [f"bad-{letter}{n}" for n in range(2 * FEW)]
        publish([target.pk], *((name, name) for name in names))
        publish([target.pk], (f"good-{letter}", letter))
        with on_duty():
            eventually(lambda: f"good-{letter}" in sink.taken, "what comes after the dead letters arrives")  # noqa: B023
    assert list(exceptions(target.pk).values()) == [State.DEAD] * 6 * FEW


def test_those_that_wait_for_a_dead_letter_hold_up_what_comes_until_it_is_dealt_with(sink: Sink) -> None:
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: 422 if name == "bad" else 200
    waiting = [f"w{n}" for n in range(2 * FEW)]
    publish([target.pk], ("bad", "A"), *((name, "A") for name in waiting))
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) > 2 * FEW, "they wait")
        publish([target.pk], ("later", "B"))
        time.sleep(2)
        assert sink.taken == []
        assert asking.ask("discard", Chosen(letters=((target.pk, 1),)), reason="a test").done == 1
        sink.wait_for(2 * FEW + 1)
    assert [name for name in sink.taken if name != "later"] == waiting
    assert exceptions(target.pk) == {}
