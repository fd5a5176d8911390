"""Targets and bins: paused, resumed, caught up, changed and deleted, each told beforehand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import Client

from delivery.models import BinRequest, RequestBin
from delivery.tracking.words import State
from rules.models import Rule, Target
from rules.revisions import save_target
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse, text

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_target_is_paused_and_resumed_with_its_reason(someone: Client, town: SimpleNamespace) -> None:
    someone.post(f"/targets/{town.billing.pk}/pause/")
    town.billing.refresh_from_db()
    assert (town.billing.state, town.billing.state_reason) == ("paused", "Paused by mara.")
    page = text(someone.get(f"/targets/{town.billing.pk}/"))
    assert "Paused by mara." in page
    assert "s3cret" not in page
    someone.post(f"/targets/{town.billing.pk}/resume/")
    town.billing.refresh_from_db()
    assert (town.billing.state, town.billing.state_reason) == ("running", "")


def test_a_target_whose_order_changes_says_what_is_finished_first(
    someone: Client, town: SimpleNamespace
) -> None:
    seq = order(town)
    write.hold(town.billing.pk, seq, State.RETRY)
    write.pass_cursor(town.billing.pk, seq)
    write.execute("UPDATE runner_slot SET mode = 'key'")
    where = f"/targets/{town.billing.pk}/"
    assert "Its order is being changed." not in text(someone.get(where))
    town.billing.order = "none"
    town.billing.save()
    page = text(someone.get(where))
    assert "finished first by the former order (in order per subject)" in page
    assert "the new order (no order) is for them" in page
    write.execute("DELETE FROM runner_exception")
    assert "Its order is being changed." not in text(someone.get(where))


def test_deleting_says_what_is_lost_before_it_is(someone: Client, town: SimpleNamespace) -> None:
    order(town)
    refuse(town)
    page = text(someone.get(f"/rules/{town.rule.pk}/delete/"))
    assert "Delete the rule and its 1 target" in page
    assert "will not be delivered any more" in page
    assert Rule.objects.exists()
    assert (
        someone.post(f"/targets/{town.billing.pk}/delete/").headers["Location"] == f"/rules/{town.rule.pk}/"
    )
    assert not Target.objects.exists()
    assert "It has no targets." in text(someone.get(f"/rules/{town.rule.pk}/delete/"))
    someone.post(f"/rules/{town.rule.pk}/delete/")
    assert not Rule.objects.exists()


def test_a_bin_is_made_emptied_and_deleted(someone: Client, town: SimpleNamespace) -> None:
    assert "This field is required" in text(someone.post("/bins/", {"name": ""}))
    there = someone.post("/bins/", {"name": "Look"}).headers["Location"]
    made = RequestBin.objects.get()
    assert "Waiting for its first request." in text(someone.get(there))
    BinRequest.objects.create(bin=made, method="PUT", headers=[["ce-id", "e1"]], body='{"a": 1}', size=8)
    page = text(someone.get(there))
    assert f"http://testserver/bin/{made.address}/" in page
    assert "ce-id" in page
    assert '<span class="k">&quot;a&quot;</span>' in page
    someone.post(f"/bins/{made.pk}/empty/")
    assert not BinRequest.objects.exists()
    someone.post(f"/bins/{made.pk}/delete/")
    assert not RequestBin.objects.exists()


def test_a_target_that_starts_in_the_past_says_how_far_it_is_and_can_be_stopped(
    someone: Client, town: SimpleNamespace
) -> None:
    from delivery.backfill import start
    from delivery.backfill.work import work
    from delivery.models import Backfill

    for _ in range(3):
        order(SimpleNamespace(bus=town.bus, billing=SimpleNamespace(pk=0)))
    ledger = Target(name="Ledger", connector="http", config={"url": "http://127.0.0.1:8999/"}, rule=town.rule)
    save_target(ledger)
    start(ledger, "beginning")
    page = someone.get(f"/targets/{ledger.pk}/").content.decode()
    assert "Catching up, 0 of 3" in page
    assert "Stop here" in page
    part = someone.get(f"/targets/{ledger.pk}/catching-up/").content.decode()
    assert 'hx-trigger="every 2s"' in part
    assert "Catching up, 0 of 3" in part
    work()
    done = someone.get(f"/targets/{ledger.pk}/catching-up/")
    assert done.headers["HX-Refresh"] == "true"
    assert "Catching up" not in someone.get(f"/targets/{ledger.pk}/").content.decode()
    stopped = someone.post(f"/targets/{ledger.pk}/stop-catching-up/", follow=True).content.decode()
    assert "nothing was left out" in stopped
    Backfill.objects.update(ended_at=None, ended="")
    stopped = someone.post(f"/targets/{ledger.pk}/stop-catching-up/", follow=True).content.decode()
    assert "Stopped there" in stopped
    assert Backfill.objects.get().ended == "cancelled"


def test_a_target_that_is_a_bin_is_called_one_and_the_bin_stays_when_its_rule_is_deleted(
    someone: Client, town: SimpleNamespace
) -> None:
    made = RequestBin.objects.create(name="Look", team=town.rule.team)
    town.billing.config = {"url": f"http://testserver/bin/{made.address}/"}
    save_target(town.billing)
    assert '<span class="faint small">Request bin</span>' in text(someone.get("/targets/"))
    assert "<h2>Request bin</h2>" in text(someone.get(f"/targets/{town.billing.pk}/"))
    for page in (f"/rules/{town.rule.pk}/delete/", f"/targets/{town.billing.pk}/delete/"):
        asked = text(someone.get(page))
        assert "Its request bin stays, with what it received:" in asked
        assert f'href="/bins/{made.pk}/"' in asked
    town.billing.config = {"url": "http://elsewhere.example/bin/nobody/"}
    save_target(town.billing)
    assert '<span class="faint small">HTTP</span>' in text(someone.get("/targets/"))
    assert "request bin" not in text(someone.get(f"/rules/{town.rule.pk}/delete/"))
