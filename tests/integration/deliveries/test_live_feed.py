"""The live feed: who may see which topic, and how a burst is shown."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from delivery.tracking.words import Outcome
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def test_the_topics_of_the_live_feed_name_a_permission() -> None:
    from delivery.live.topics import needed_for

    assert {
        topic: needed_for(topic)
        for topic in (
            "wire",
            "dead-letters",
            "deliveries:failed",
            "deliveries:7",
            "target:7",
            "bin:3",
            "summary:1h",
            "summary:30d:7",
        )
    } == {
        "dead-letters": "rules.view_target",
        "wire": "catalog.view_eventtype",
        "deliveries:failed": "rules.view_target",
        "deliveries:7": "rules.view_target",
        "summary:30d:7": "rules.view_target",
        "target:7": "rules.view_target",
        "bin:3": "delivery.view_requestbin",
        "summary:1h": "rules.view_target",
    }
    for wrong in (
        "",
        "target:",
        "target:1x",
        "target:1;drop",
        "bin",
        "summary:9h",
        "wire:1",
        "deliveries:",
        "summary:1h:x",
    ):
        assert needed_for(wrong) is None


def test_a_burst_is_shown_evenly_and_says_one_in_how_many(town: SimpleNamespace) -> None:
    from delivery.live.parts import ROWS, _of
    from delivery.tracking.tail import Reader

    reader, seq = Reader(), order(town)
    for number in range(90):
        write.attempt(town.billing.pk, seq, Outcome.RETRY if number % 3 else Outcome.DELIVERED, number)
    news = reader.news()
    (everything,) = _of("deliveries", news)
    assert everything["html"].count("<tr") <= ROWS
    assert everything["sampled"] == "sampled 1 in 4"
    (failed,) = _of("deliveries:failed", news)
    assert "st ok" not in failed["html"]
    assert failed["sampled"] == "sampled 1 in 3"
    (event,) = _of("wire", news)
    assert (event["html"].count("<li"), event["sampled"]) == (1, "")
    assert _of(f"target:{town.billing.pk + 1}", news) == []


def test_the_live_feed_tells_when_there_are_more_or_fewer_dead_letters(
    town: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from delivery.live import parts as live

    monkeypatch.setattr(live, "DEAD_EVERY", 0.0)
    look, watched = live.Look(), {"en": frozenset({"dead-letters"})}
    assert [part["html"] for part in look.parts(watched)["en"]] == [""]
    refuse(town)
    assert [part["html"] for part in look.parts(watched)["en"]] == ["1"]
    assert look.parts(watched)["en"] == []
    write.execute("DELETE FROM runner_exception")
    assert [part["html"] for part in look.parts(watched)["en"]] == [""]


def test_each_language_is_told_in_its_own_words(
    town: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from delivery.live import parts as live

    monkeypatch.setattr(live, "RATE_EVERY", 0.0)
    look, topics = live.Look(), frozenset({"rate", "deliveries"})
    seq = order(town)
    for number in range(90):
        write.attempt(town.billing.pk, seq, Outcome.DELIVERED, number)
    found = look.parts({"en": topics, "zh-hans": topics})
    told = {
        language: {part["topic"]: (part["html"], part["sampled"]) for part in parts}
        for language, parts in found.items()
    }
    assert told["en"]["deliveries"][1] == "sampled 1 in 4"
    assert told["zh-hans"]["deliveries"][1] == "抽样 1/4"
    assert "milliseconds" in told["en"]["deliveries"][0]
    assert "毫秒" in told["zh-hans"]["deliveries"][0]
    assert "个事件/分钟" in told["zh-hans"]["rate"][0]


def test_a_page_names_its_language_and_an_unknown_one_counts_as_english() -> None:
    from delivery.consumers import read

    assert read('{"topics": ["wire"], "language": "zh-hans"}') == (["wire"], {}, "zh-hans", None)
    for other in ('"xx"', "7", "null", '["zh-hans"]'):
        assert read(f'{{"topics": ["wire"], "language": {other}}}') == (["wire"], {}, "en", None)
    assert read('{"topics": ["wire"]}') == (["wire"], {}, "en", None)
    assert read('{"topics": ["wire"], "head": 12, "since": {"wire": 3}}') == (["wire"], {"wire": 3}, "en", 12)
    assert read('{"topics": ["wire"], "head": "12"}') == (["wire"], {}, "en", None)
