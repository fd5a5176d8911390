"""Where a target starts: from now, from a time, from the beginning."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from catalog.models import Bus
from delivery.models import Backfill
from rules.models import Rule
from tests.integration.rule_preview.tried import (
    form,
    order,
    text,
)


@pytest.mark.parametrize(("choice", "expected"), [("now", None), ("beginning", 3), ("time", 1)])
def test_a_target_starts_where_it_was_said_and_the_count_was_shown(
    someone: Client, bus: Bus, choice: str, expected: int | None
) -> None:
    for number, ago in enumerate((300, 200, 100)):
        order(bus, number, 900, ago)
    order(bus, 9, 1, 50)
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 150 * 60))
    values = form(bus, start=choice, **{"start-time": at})
    said = text(someone.post("/rules/start-count/", values))
    if expected is None:
        assert "Past events are not sent." in said
    else:
        assert f'<b class="num">{expected}</b> past event' in said
    # A draft takes nothing yet.
    assert someone.post("/subscribe/", values | {"do": "draft"}).status_code == 302
    assert not Backfill.objects.exists()
    rule = Rule.objects.get()
    assert someone.post(f"/rules/{rule.pk}/edit/", values | {"do": "start"}).status_code == 302
    if expected is None:
        assert not Backfill.objects.exists()
    else:
        job = Backfill.objects.get()
        assert job.target == rule.targets.get().pk
        assert job.revision == Rule.objects.get().revision


def test_past_events_are_counted_once_the_filter_can_be_tried(someone: Client, bus: Bus) -> None:
    values = form(bus, start="beginning", values=["many"])
    said = text(someone.post("/rules/start-count/", values))
    assert "counted when the filter can be tried" in said
    assert "not sent" not in said


def test_saving_a_target_that_starts_in_the_past_says_what_it_gets_first(someone: Client, bus: Bus) -> None:
    for number in range(3):
        order(bus, number, 900, 100)
    values = form(bus, start="beginning", do="start")
    said = text(someone.post("/subscribe/", values, follow=True))
    assert "Listening. Billing gets 3 past events first, then every new one." in said
    rule = Rule.objects.get()
    added = values | {"target-name": "Second", "do": "save"}
    said = text(someone.post(f"/rules/{rule.pk}/targets/new/", added, follow=True))
    assert "Second gets 3 past events first, then every new one." in said
    third = added | {"target-name": "Third", "start": "now"}
    said = text(someone.post(f"/rules/{rule.pk}/targets/new/", third, follow=True))
    assert "Third gets every event of this rule from now on." in said


def test_a_draft_keeps_where_its_target_starts_until_it_listens(someone: Client, bus: Bus) -> None:
    for number, ago in enumerate((300, 200, 100)):
        order(bus, number, 900, ago)
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 150 * 60))
    values = form(bus, start="time", do="draft", **{"start-time": at})
    someone.post("/subscribe/", values)
    rule = Rule.objects.get()
    page = someone.get(f"/rules/{rule.pk}/edit/")
    assert (page.context["start"].choice, page.context["start"].time) == ("time", at)
    # Changing it alone makes no revision of the target.
    someone.post(f"/rules/{rule.pk}/edit/", values | {"start": "beginning"})
    target = rule.targets.get()
    assert (target.starts, target.revision) == ("beginning", 1)
    added = form(bus, do="save", start="time", **{"start-time": at, "target-name": "Second"})
    someone.post(f"/rules/{rule.pk}/targets/new/", added)
    second = rule.targets.get(name="Second")
    assert second.starts == at
    assert someone.get(f"/targets/{second.pk}/edit/").context["start"].choice == "time"
    assert not Backfill.objects.exists()
    # From the page of the rule, which has no form that says it.
    said = text(someone.post(f"/rules/{rule.pk}/switch/", {"enabled": "1"}, follow=True))
    assert "Listening. Billing gets 3 past events first, then every new one." in said
    assert "Second gets 1 past event first, then every new one." in said
    assert set(Backfill.objects.values_list("target", flat=True)) == {target.pk, second.pk}
    assert set(rule.targets.values_list("starts", flat=True)) == {""}
    # Switched off and on again, nothing begins anew.
    for enabled in ("0", "1"):
        someone.post(f"/rules/{rule.pk}/switch/", {"enabled": enabled})
    assert Backfill.objects.count() == 2


def test_a_draft_that_is_to_start_now_forgets_what_it_kept(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900, 100)
    someone.post("/subscribe/", form(bus, start="beginning", do="draft"))
    rule = Rule.objects.get()
    copy_of = someone.post(f"/rules/{rule.pk}/duplicate/")
    assert copy_of.status_code == 302
    assert set(Rule.objects.exclude(pk=rule.pk).get().targets.values_list("starts", flat=True)) == {""}
    someone.post(f"/rules/{rule.pk}/edit/", form(bus, start="now", do="start"))
    assert rule.targets.get().starts == ""
    assert not Backfill.objects.exists()
