"""Targets at rest on their pages: why, how long what waits is kept, and what a person may do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import Client

from delivery.tracking import waiting
from delivery.tracking.words import REDRIVEN, Outcome
from rules.models import Target
from rules.revisions import save_target, set_state
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse, text

DAY = 86_400 * write.SECOND
# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def open_breaker(town: SimpleNamespace, **columns: object) -> None:
    row = {"opened_at": write.now() - 60 * write.SECOND, "probe_at": write.now() + 30 * write.SECOND,
           "reason": "It answers 503: no disk."} | columns  # fmt: skip
    write.execute(
        f"INSERT INTO runner_gate (target, {', '.join(row)}) VALUES (%s{', %s' * len(row)})",
        town.billing.pk, *row.values(),
    )  # fmt: skip


def test_a_disabled_target_is_told_from_a_stopped_one_and_may_be_resumed(
    someone: Client, town: SimpleNamespace
) -> None:
    order(town)
    set_state(town.billing, Target.State.DISABLED, "It answers 410: it is gone for good.")
    page = text(someone.get(f"/targets/{town.billing.pk}/"))
    assert "the target asked not to be called again" in page
    assert "It answers 410: it is gone for good." in page
    assert "Disabled" in page
    assert "asked not to be called again: disabled since" in text(someone.get("/deliveries/"))
    assert "Billing has stopped" in text(someone.get("/journey/1/")) or "stopped" in text(
        someone.get(f"/journey/{order(town)}/")
    )
    assert "Billing" in text(someone.get("/targets/?state=disabled"))
    assert "No target fits." in text(someone.get("/targets/?state=stopped"))
    someone.post(f"/targets/{town.billing.pk}/resume/")
    town.billing.refresh_from_db()
    assert town.billing.state == "running"


def test_an_open_breaker_is_shown_with_its_reason_and_probed_when_a_person_asks(
    someone: Client, town: SimpleNamespace
) -> None:
    order(town)
    assert "nothing was held back" in text(someone.post(f"/targets/{town.billing.pk}/probe/", follow=True))
    open_breaker(town)
    page = text(someone.get(f"/targets/{town.billing.pk}/"))
    assert "its breaker is open" in page
    assert "It answers 503: no disk." in page
    assert "Next probe:" in page
    assert "Does not answer" in text(someone.get("/targets/"))
    overview = text(someone.get("/deliveries/"))
    assert "Billing does not answer since" in overview
    assert "It answers 503: no disk. 1 event waits." in overview
    assert "One event goes to it now." in text(
        someone.post(f"/targets/{town.billing.pk}/probe/", follow=True)
    )
    town.billing.breaker = False
    save_target(town.billing)
    assert "its breaker is open" not in text(someone.get(f"/targets/{town.billing.pk}/"))


def test_the_retention_clock_of_what_waits_says_until_when_and_then_what(
    someone: Client, town: SimpleNamespace
) -> None:
    set_state(town.billing, Target.State.PAUSED)
    page = f"/targets/{town.billing.pk}/"
    assert "its bus keeps events for" not in text(someone.get(page))
    seq = order(town, at=write.now() - 20 * DAY)
    shown = text(someone.get(page))
    days = town.rule.bus.retention_days
    assert f"its bus keeps events for {days} days, which is over" in shown
    assert f"in {days - 21} days" in shown or f"in {days - 20} days" in shown
    write.execute("UPDATE log_event SET received_at = %s WHERE seq = %s", write.now() - (days + 1) * DAY, seq)
    shown = text(someone.get(page))
    assert f"waits longer than the {days} days that its bus keeps events" in shown
    assert f"What waits is kept for {2 * days} days at most: then it becomes a dead letter." in shown
    assert f"in {days - 2} days" in shown or f"in {days - 1} days" in shown


def test_a_target_that_too_many_exceptions_hold_up_says_so_and_what_to_do(
    someone: Client, town: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "EXCEPTIONS", 3)
    for _ in range(3):
        refuse(town)
    page = f"/targets/{town.billing.pk}/"
    write.execute("UPDATE runner_exception SET blocks = 0")
    assert "Nothing new is read for it" not in text(someone.get(page))
    write.execute("UPDATE runner_exception SET blocks = 1")
    assert "Nothing new is read for it" in text(someone.get(page))
    assert "Held up" in text(someone.get("/targets/"))
    assert "Nothing new is read for it: 3 events wait" in text(someone.get("/deliveries/"))


def test_several_targets_are_paused_and_resumed_at_once(someone: Client, town: SimpleNamespace) -> None:
    others = [
        save_target(
            Target(name=name, rule=town.rule, connector="http", config={"url": "http://127.0.0.1:9/"})
        )
        for name in ("Archive", "Stock")
    ]
    set_state(others[1], Target.State.STOPPED, "It answers 401.")
    page = text(someone.get("/targets/?q=Swedish"))
    assert f'name="target" value="{town.billing.pk}"' in page
    chosen = {"target": [town.billing.pk, others[1].pk, "x", 999_999], "next": "/targets/?q=Swedish"}
    answer = someone.post("/targets/pause/", chosen)
    assert answer.headers["Location"] == "/targets/?q=Swedish"
    states = dict(Target.objects.values_list("name", "state"))
    # One that has stopped keeps its reason: it did not run anyway.
    assert states == {"Billing": "paused", "Archive": "running", "Stock": "stopped"}
    assert "1 target is paused." in text(someone.get("/targets/"))
    answer = someone.post("/targets/resume/", chosen | {"next": "//elsewhere.example/"})
    assert answer.headers["Location"] == "/targets/"
    assert set(Target.objects.values_list("state", flat=True)) == {"running"}
    assert "2 targets run again." in text(someone.get("/targets/"))


def test_the_time_at_rest_is_added_up(town: SimpleNamespace) -> None:
    for state in ("paused", "stopped", "running", "paused", "running"):
        Target.objects.update(state_since=Target.objects.get().state_since)
        set_state(town.billing, state)
    assert 0 < town.billing.rested < 60 * write.SECOND
    rested = town.billing.rested
    set_state(town.billing, "running")
    assert town.billing.rested == rested


def test_the_page_says_the_policy_in_words(someone: Client, town: SimpleNamespace) -> None:
    page = text(someone.get(f"/targets/{town.billing.pk}/"))
    assert "Signalbox: " in page
    assert "opens after 10 failures in a row" in page
    assert "Batches" not in page
    town.billing.retry_kind, town.billing.max_attempts = "constant", 4
    town.billing.first_delay = town.billing.longest_delay = 20.0
    town.billing.delay_step, town.billing.rate_limit, town.billing.granted_rate = 1.0, 5.0, 120
    town.billing.classes = {"404": "retry"}
    town.billing.batch_count = 10
    save_target(town.billing)
    page = text(someone.get(f"/targets/{town.billing.pk}/"))
    assert "RocketMQ / Alibaba BACKOFF_RETRY: 4 tries." in page
    assert "2 after 10 s to 20 s" in page
    assert "2 events a second at most (the target grants 120 a minute)" in page
    assert '<span class="mono">404</span> retry' in page
    assert "up to 10 events or" in page


def test_the_journey_marks_what_was_redriven(someone: Client, town: SimpleNamespace) -> None:
    seq = refuse(town)
    assert "redriven" not in text(someone.get(f"/journey/{seq}/"))
    write.execute("DELETE FROM runner_exception")
    write.attempt(town.billing.pk, seq, Outcome.DELIVERED, number=2, reason=REDRIVEN)
    page = text(someone.get(f"/journey/{seq}/"))
    assert "200, 2 tries, redriven" in page
    assert REDRIVEN in page
