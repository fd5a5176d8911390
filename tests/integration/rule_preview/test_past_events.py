"""Which past events a rule is tried on, what each condition lets pass, what a change gains and loses."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import Bus, Team
from delivery.pages import samples
from delivery.pages.past import LogPast
from rules.engine import Filter
from rules.models import Rule, Target
from rules.revisions import subscribe
from tests.integration.rule_preview.tried import (
    SCRIPT,
    Receiver,
    form,
    look,
    order,
    text,
)


def test_each_condition_has_its_own_share_and_the_whole_has_one(someone: Client, bus: Bus) -> None:
    for number in range(10):
        order(bus, number, 100 * number)
    answer = look(
        someone,
        bus,
        place=["", "0.0", "0.1"],
        path=["data.total.amount", "data.n", "subject"],
        method=["number", "is", "is"],
        values=["≥ 500", "6", "o-7"],
        sql="subject LIKE 'o-%'",
    )
    assert [(one.at, round(one.share)) for one in answer.context["row_results"]] == [
        (0, 50),
        (1, 10),
        (2, 10),
    ]
    assert (answer.context["taken"], answer.context["sql_share"]) == (2, "100")
    assert "of the 10 events there are would have gone to Billing" in text(answer)
    assert "amount is 400" in text(answer)


def test_an_expression_and_filters_count_and_give_the_reason(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    order(bus, 2, 900, source="/other")
    answer = look(someone, bus, sql="source = '/shop'")
    assert answer.context["taken"] == 1
    assert "source" in next(line.why for line in answer.context["tried"] if not line.taken)
    answer = look(someone, bus, filters='[{"exact": {"source": "/shop"}}]')
    assert answer.context["taken"] == 1
    answer = look(someone, bus, sql="source =")
    assert answer.context["draft"].filter is None
    assert "The filter cannot be tried yet." in text(answer)
    assert answer.context["chosen"].event.name == "o-2"


@pytest.mark.parametrize(
    ("window", "looked"), [("latest", 4), ("live", 1), ("day", 3), ("week", 4), ("nonsense", 4)]
)
def test_a_window_chooses_the_events(someone: Client, bus: Bus, window: str, looked: int) -> None:
    for number, ago in enumerate((3 * 24 * 60, 23 * 60, 60, 1)):
        order(bus, number, 900, ago)
    assert look(someone, bus, window=window).context["looked"] == looked


@pytest.mark.parametrize("types", [["order.placed"], [], ["order.placed", *"abcdef"]])
def test_of_very_many_events_a_bounded_number_is_looked_at_all_over_the_time(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, types: list[str]
) -> None:
    monkeypatch.setattr(samples, "MOST", 20)
    monkeypatch.setattr(samples, "SLICES", 10)
    for number in range(60):
        order(bus, number, 1, ago=60 - number)
    found = samples.take(bus.pk, types, "day")
    assert len(found.events) == 20
    numbers = [seen.event.data["n"] for seen in found.events]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] > 50
    assert numbers[-1] < 6
    assert "20 events spread over the 60 of the last 24 hours" in found.span


def test_of_large_events_only_as_many_as_fit_are_read(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        order(bus, number, 1, data={"n": number, "text": "x" * 1000})
    monkeypatch.setattr(samples, "TAKEN_BYTES", 3_500)
    found = samples.take(bus.pk, ["order.placed"])
    assert [seen.event.data["n"] for seen in found.events] == [9, 8, 7]
    assert found.span == "the newest 3 of them, which are large: the 10 events there are"
    monkeypatch.setattr(samples, "TAKEN_BYTES", 10)
    assert len(samples.take(bus.pk, ["order.placed"]).events) == 1


def test_an_event_is_decoded_once(someone: Client, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        order(bus, number, 900)
    first = samples.take(bus.pk, ["order.placed"])
    again = samples.take(bus.pk, [])
    assert [one.event for one in first.events] == [one.event for one in again.events]
    assert all(one.event is other.event for one, other in zip(first.events, again.events, strict=True))
    monkeypatch.setattr(samples, "KEPT", 2)
    order(bus, 9, 900)
    assert len(samples.take(bus.pk, []).events) == 6
    assert len(samples._kept) == 2


def test_a_changed_filter_says_what_it_gains_and_loses(bus: Bus) -> None:
    for number in range(10):
        order(bus, number, 100 * number)
    before = Filter({"type": ["order.placed"], "data": {"total": {"amount": [{"numeric": [">=", 500]}]}}})
    after = Filter({"type": ["order.placed"], "data": {"n": [{"numeric": ["<", 7]}]}}, "EXISTS subject")
    found = LogPast().difference(bus.pk, before, after)
    assert (found.looked, found.kept, found.gained, found.lost) == (10, 2, 5, 3)
    assert [one.name for one in found.gains] == ["o-4", "o-3", "o-2", "o-1", "o-0"]
    assert [one.name for one in found.losses] == ["o-9", "o-8", "o-7"]


def test_a_saved_rule_is_tried_on_its_own_bus_with_its_stored_secrets(someone: Client, bus: Bus) -> None:
    other = Bus.objects.create(name="other")
    order(bus, 1, 900)
    order(other, 2, 900)
    order(other, 3, 900)
    config = {"url": "http://127.0.0.1:8999/hook", "headers": {"Authorization": "Bearer s3cret"}}
    rule = Rule(name="r", bus=other, team=Team.objects.get(), pattern={}, enabled=False)
    subscribe(rule, Target(name="Billing", connector="http", config=config))
    values = form(bus, rule=rule.pk, target=Target.objects.get().pk, start="beginning")
    values |= {"config-http-url": "http://127.0.0.1:8999/hook", "config-http-headers": "Authorization: ••••"}
    del values["bus"]  # a browser does not send a disabled field
    answer = someone.post("/rules/preview/", values, headers=SCRIPT)
    assert answer.context["looked"] == 2
    assert dict(answer.context["out"].headers)["authorization"] == "••••"
    assert answer.context["status"].word in text(answer)
    assert "s3cret" not in text(answer)
    assert '<b class="num">2</b> past events' in text(someone.post("/rules/start-count/", values))


def test_without_script_the_preview_and_the_question_are_pages(
    someone: Client, bus: Bus, sink: Receiver
) -> None:
    order(bus, 1, 900)
    values = {"config-http-url": sink.url("/hook"), "config-http-headers": "X-Key: s3cret"}
    page = text(someone.post("/rules/preview/", form(bus, **values)))
    assert "<!doctype html>" in page
    assert "hx-swap-oob" not in page
    page = text(someone.post("/rules/trial/", form(bus, trial="ask", **values)))
    assert "<!doctype html>" in page
    assert 'name="template"' in page
    assert "s3cret" not in page
