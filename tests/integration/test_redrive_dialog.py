"""Before a redrive, its dialog counts the later events that were delivered already."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from delivery.deadletters.causes import cause_id, cause_of
from delivery.tracking import overtaken
from delivery.tracking.overtaken import Overtaken
from delivery.tracking.words import Outcome, State
from rules.models import Target
from tests.databases import Database
from tests.events import a_target
from tests.integration import rows as write

REASON = "It answers 422."


@pytest.fixture
def target(log_database: Database) -> Target:
    return a_target(after_dead_letter="continue")


def dead(target: Target, subject: str, reason: str = REASON) -> int:
    seq = write.store(target.rule.bus_id, (target.pk,), subject=subject)
    write.attempt(target.pk, seq, Outcome.REJECTED)
    write.hold(target.pk, seq, State.DEAD, reason=reason)
    return seq


def taken(target: Target, subject: str, times: int = 1) -> int:
    seq = write.store(target.rule.bus_id, (target.pk,), subject=subject)
    for number in range(times):
        write.attempt(target.pk, seq, Outcome.DELIVERED, number + 1)
    return seq


def test_it_counts_later_events_of_the_same_subject_that_were_delivered(target: Target) -> None:
    taken(target, "A")
    first = dead(target, "A")
    other = dead(target, "B")
    for _ in range(3):
        taken(target, "A")
    taken(target, "B", times=2)  # After a crash: it is one event.
    write.store(target.rule.bus_id, (target.pk,), subject="A")  # Not delivered yet.
    taken(target, "C")
    assert overtaken.by_later(target.pk, "key") == Overtaken(4, True)
    assert overtaken.by_later(target.pk, "key", [first]) == Overtaken(3, True)
    assert overtaken.by_later(target.pk, "key", [other]) == Overtaken(1, True)
    assert overtaken.by_later(target.pk, "key", []) == Overtaken(0, True)


def test_what_another_target_took_does_not_count(target: Target) -> None:
    other = a_target(rule=target.rule, name="other")
    dead(target, "A")
    taken(other, "A")
    assert overtaken.by_later(target.pk, "key") == Overtaken(0, True)


def test_where_all_events_have_one_order_any_later_one_counts(target: Target) -> None:
    dead(target, "A")
    taken(target, "B")
    taken(target, "C")
    dead(target, "D")
    assert overtaken.by_later(target.pk, "all") == Overtaken(2, True)


@pytest.mark.parametrize("order", ["key", "all"])
def test_beyond_what_it_looks_at_it_says_at_least(target: Target, order: str) -> None:
    dead(target, "A")
    for _ in range(300):
        taken(target, "A")
    with patch.object(overtaken, "LOOKED_AT", 200):
        assert overtaken.by_later(target.pk, order) == Overtaken(200, False)
    assert overtaken.by_later(target.pk, order) == Overtaken(300, True)


def test_of_more_subjects_than_it_looks_at_it_takes_the_newest(target: Target) -> None:
    for subject in ("A", "B", "C"):
        dead(target, subject)
    for subject in ("A", "B", "C"):
        taken(target, subject)
    with patch.object(overtaken, "KEYS", 2):
        assert overtaken.by_later(target.pk, "key") == Overtaken(2, False)


@pytest.fixture
def someone(target: Target) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


def test_each_dialog_asks_for_what_it_would_send(target: Target, someone: Client) -> None:
    _first, second = dead(target, "A"), dead(target, "B", "Another.")
    taken(target, "A")
    taken(target, "A")
    taken(target, "B")
    page = someone.get(f"/dead-letters/?target={target.pk}").content.decode()
    group = f"target={target.pk}&amp;group={cause_id(cause_of(REASON, 422))}"
    for query in (f"target={target.pk}&amp;all=1", group):
        assert f'hx-get="/dead-letters/later/?{query}&amp;form=redrive-' in page
        assert f'action="/dead-letters/redrive/?{query}"' in page

    def said(query: str) -> str:
        return someone.get(f"/dead-letters/later/?{query}").content.decode()

    assert "<b>3</b> later events of the same subject have been delivered" in said(f"target={target.pk}")
    assert "<b>2</b> later events" in said(group.replace("&amp;", "&"))
    assert "<b>1</b> later event of the same subject has been delivered" in said(
        f"target={target.pk}&seq={second}"
    )
    with patch.object(overtaken, "LOOKED_AT", 2), patch.object(overtaken, "KEYS", 1):
        assert "At least <b>1</b> later events" in said(f"target={target.pk}")
    target.order = "all"
    target.save()
    assert "<b>3</b> later events have been delivered already" in said(f"target={target.pk}")


def test_it_says_so_when_nothing_comes_out_of_turn(target: Target, someone: Client) -> None:
    dead(target, "A")
    answer = someone.get(f"/dead-letters/later/?target={target.pk}")
    assert "nothing comes out of turn" in answer.content.decode()
    assert someone.post(f"/dead-letters/later/?target={target.pk}").status_code == 405
    assert someone.get("/dead-letters/later/").status_code == 404
