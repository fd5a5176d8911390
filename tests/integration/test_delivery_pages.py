"""The pages of deliveries through Django: what is wrong comes first, a journey answers, dead letters are redriven."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import URLPattern, get_resolver

from catalog.access import permission_of
from catalog.models import Bus, Domain, EventType, Team
from delivery.models import BinRequest, RequestBin
from delivery.tracking.rates import minute_of
from delivery.tracking.words import Outcome, State
from rules.models import Rule, Target
from rules.revisions import save_target, subscribe
from tests.integration import rows as write

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)

REASON = "It answers 422: invoice_ref is longer than 20 characters."


@pytest.fixture(autouse=True)
def an_empty_log(transactional_db: None) -> Iterator[None]:
    """The data plane's tables are no models, so Django does not empty them between tests."""
    yield
    write.empty()


@pytest.fixture
def town() -> SimpleNamespace:
    """A bus with a rule for Swedish orders that delivers to Billing."""
    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Shop", slug="shop")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", team=team)
    EventType.objects.create(name="order.placed", summary="A customer ordered.", domain=domain, team=team)
    rule = Rule(name="Swedish orders", bus=bus, team=team)
    rule.pattern = {"type": ["order.placed"], "data": {"currency": ["SEK"]}}
    config = {"url": "http://127.0.0.1:8999/hook?token=s3cret", "headers": {"Authorization": "Bearer s3cret"}}
    template = {"kind": "template", "template": '{"ref": "${data.ref}"}'}
    billing = Target(name="Billing", connector="http", config=config, transform=template)
    subscribe(rule, billing)
    return SimpleNamespace(bus=bus.pk, rule=rule, billing=billing)


@pytest.fixture
def someone(client: Client, town: SimpleNamespace) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


def order(town: SimpleNamespace, currency: str = "SEK", **attributes: Any) -> int:
    targets = (town.billing.pk,) if currency == "SEK" else ()
    return write.store(town.bus, targets, data={"currency": currency, "ref": "order-88190"}, **attributes)


def refuse(town: SimpleNamespace, **attributes: Any) -> int:
    seq = order(town, **attributes)
    write.attempt(
        town.billing.pk, seq, Outcome.REJECTED, status=422, reason=REASON, response='{"error": "too long"}'
    )
    write.hold(town.billing.pk, seq, State.DEAD, reason=REASON)
    write.pass_cursor(town.billing.pk, seq)
    return seq


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_what_is_wrong_is_said_first(someone: Client, town: SimpleNamespace) -> None:
    for number in range(3):
        refuse(town, subject=f"order-{number}")
    page = text(someone.get("/deliveries/"))
    assert "Billing has refused 3 events since" in page
    assert page.index("Billing has refused 3 events") < page.index("Throughput")
    assert REASON in page
    assert "Redrive 3…" in page


def test_a_stopped_target_is_said_before_its_dead_letters(someone: Client, town: SimpleNamespace) -> None:
    order(town)
    Target.objects.update(state="stopped", state_reason="It answers 401: who are you?")
    page = text(someone.get("/deliveries/"))
    assert "Billing has stopped since" in page
    assert "It answers 401: who are you? 1 event waits." in page


def test_when_nothing_is_wrong_the_page_says_so(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town)
    write.attempt(town.billing.pk, seq, Outcome.DELIVERED)
    write.pass_cursor(town.billing.pk, seq)
    write.count_minute(town.billing.pk, minute_of(write.now()), delivered=1, l3=1)
    page = text(someone.get("/deliveries/?range=15m"))
    assert "All is well." in page
    assert "100<small>" in page
    assert f"/journey/{seq}/?target={town.billing.pk}" in page


def test_the_tail_shows_failures_alone_when_asked(someone: Client, town: SimpleNamespace) -> None:
    good, bad = order(town), refuse(town)
    write.attempt(town.billing.pk, good, Outcome.DELIVERED)
    rows = text(someone.get("/deliveries/tail/?show=failed"))
    assert f"/journey/{bad}/" in rows
    assert f"/journey/{good}/" not in rows
    assert rows.count("<tr") == 1
    assert text(someone.get("/deliveries/tail/")).count("<tr") == 2


@pytest.mark.parametrize("query", ["", "?range=24h", "?range=6h&show=failed", "?range=nonsense"])
def test_the_page_of_a_fresh_install_opens(client: Client, query: str) -> None:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    for path in (
        "/deliveries/",
        "/targets/",
        "/dead-letters/",
        "/bins/",
        "/rules/",
        "/find/",
        "/deliveries/wire/",
    ):
        assert client.get(path + query).status_code == 200
    assert "Nothing is delivered yet." in text(client.get("/deliveries/"))


def test_a_journey_answers_in_its_first_sentence(someone: Client, town: SimpleNamespace) -> None:
    seq = refuse(town, subject="order-88190", time="2026-11-23T02:41:07.112Z")
    refuse(town)
    page = text(someone.get(f"/journey/{seq}/"))
    assert "It reached 0 of 1 listeners. Billing refused it." in page
    assert "1 more event" in page
    assert "422 Unprocessable" in page
    assert "too long" in page
    assert "order-88190" in page
    assert f"msg_{town.billing.pk:x}_{seq:x}" in page
    assert "s3cret" not in page


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda town, seq: None, "It is on its way to Billing."),
        (lambda town, seq: Target.objects.update(state="paused"), "Billing is paused."),
        (lambda town, seq: Target.objects.update(state="stopped"), "Billing has stopped."),
        (
            lambda town, seq: write.hold(town.billing.pk, seq, State.RETRY, due_at=write.now() + 10**7),
            "it is tried again",
        ),
        (lambda town, seq: write.hold(town.billing.pk, seq, State.WAITING), "waits behind an earlier event"),
        (
            lambda town, seq: write.attempt(town.billing.pk, seq, Outcome.DISCARDED),
            "A person discarded it for Billing.",
        ),
        (
            lambda town, seq: write.attempt(town.billing.pk, seq, Outcome.DELIVERED),
            "It reached its one listener.",
        ),
    ],
)
def test_every_end_of_a_journey_has_its_sentence(
    someone: Client, town: SimpleNamespace, prepare: Any, sentence: str
) -> None:
    seq = order(town)
    prepare(town, seq)
    assert sentence in text(someone.get(f"/journey/{seq}/"))


def test_a_journey_says_why_nobody_took_it(someone: Client, town: SimpleNamespace) -> None:
    page = text(someone.get(f"/journey/{order(town, 'EUR')}/"))
    assert "Nobody took it. 1 rule looked at it." in page
    assert "data.currency is &quot;EUR&quot;, the rule wants &quot;SEK&quot;" in page


def test_what_an_event_holds_is_shown_and_never_run(someone: Client, town: SimpleNamespace) -> None:
    nasty = '<script>alert(1)</script>"><img src=x>'
    seq = write.store(
        town.bus, (town.billing.pk,), data={"currency": "SEK", "ref": nasty}, subject=nasty, id=nasty
    )
    write.attempt(town.billing.pk, seq, Outcome.REJECTED, reason=nasty, response=nasty, status=422)
    write.hold(town.billing.pk, seq, State.DEAD, reason=nasty)
    made = RequestBin.objects.create(name=nasty, team=town.rule.team)
    BinRequest.objects.create(bin=made, method="POST", headers=[[nasty, nasty]], body=nasty)
    paths = [
        f"/journey/{seq}/", "/deliveries/", "/deliveries/tail/", "/deliveries/wire/", "/dead-letters/",
        f"/targets/{town.billing.pk}/", f"/bins/{made.pk}/", "/bins/", f"/find/?q={nasty}",
    ]  # fmt: skip
    for path in paths:
        page = text(someone.get(path, follow=True))
        assert "<script>alert" not in page, path
        assert "<img src=x>" not in page, path


def test_an_event_that_is_gone_says_so(someone: Client, town: SimpleNamespace) -> None:
    answer = someone.get("/journey/4711/")
    assert answer.status_code == 404
    assert "The log does not hold event 4711" in text(answer)


def test_find_leads_to_the_journey(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town, id="order-88190")
    assert someone.get("/find/?q=order-88190").headers["Location"] == f"/journey/{seq}/"
    assert someone.get(f"/find/?q={seq}").headers["Location"] == f"/journey/{seq}/"
    assert "No event is called “x9”." in text(someone.get("/find/?q=x9"))
    order(town, id="order-88190", source="/app")
    assert "Several events are called “order-88190”" in text(someone.get("/find/?q=order-88190"))


def _states(town: SimpleNamespace) -> dict[int, int]:
    from delivery.tracking.read import rows

    return dict(rows("SELECT seq, state FROM runner_exception WHERE target = %s", [town.billing.pk]))  # type: ignore[arg-type]


def test_one_reason_or_all_are_redriven(someone: Client, town: SimpleNamespace) -> None:
    from delivery.pages.dead_letters import group_id

    first, second, third = refuse(town), refuse(town), refuse(town)
    write.execute("UPDATE runner_exception SET reason = 'Another.' WHERE seq = %s", third)
    page = text(someone.get("/dead-letters/"))
    assert REASON in page
    assert "Another." in page
    someone.post(f"/dead-letters/redrive/?target={town.billing.pk}&seq={first}&from=journey")
    assert _states(town) == {first: State.RETRY, second: State.DEAD, third: State.DEAD}
    someone.post(f"/dead-letters/redrive/?target={town.billing.pk}&group={group_id(REASON)}")
    assert _states(town) == {first: State.RETRY, second: State.RETRY, third: State.DEAD}
    someone.post(f"/dead-letters/discard/?target={town.billing.pk}&group={group_id('Another.')}")
    assert _states(town)[third] == State.DISCARD


def test_a_group_that_is_gone_touches_nothing_else(someone: Client, town: SimpleNamespace) -> None:
    seq = refuse(town)
    someone.post(f"/dead-letters/redrive/?target={town.billing.pk}&group=000000000000")
    someone.post(f"/dead-letters/discard/?target={town.billing.pk}&group=000000000000")
    assert _states(town) == {seq: State.DEAD}
    assert someone.post("/dead-letters/redrive/").status_code == 404
    assert someone.get("/dead-letters/redrive/").status_code == 405


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


def preview(town: SimpleNamespace, **values: Any) -> dict[str, Any]:
    return {
        "name": "x", "bus": town.bus, "type": ["order.placed"], "mode": "rows", "path": ["data.currency"],
        "method": ["is"], "values": ["SEK"], "send": "template", "template": '{"ref": "${data.ref}"}',
        "deliver": "connector:http", "config-http-url": "http://127.0.0.1:8999/hook", "target-name": "Billing",
    } | values  # fmt: skip


def test_a_preview_tells_what_a_rule_would_have_done(someone: Client, town: SimpleNamespace) -> None:
    for currency in ("SEK", "EUR", "SEK", "EUR", "EUR"):
        order(town, currency)
    write.store(town.bus, type="other")
    answer = someone.post("/rules/preview/", preview(town), headers={"HX-Request": "true"})
    page = text(answer)
    assert (answer.context["taken"], answer.context["looked"], answer.context["share"]) == (2, 5, "40")
    assert "data.currency is &quot;EUR&quot;, the rule wants &quot;SEK&quot;" in page
    assert (
        answer.context["out"].body == '{"ref":"order-88190"}' or '"order-88190"' in answer.context["out"].body
    )
    assert "POST /hook HTTP/1.1" in page
    assert "127.0.0.1:8999" in page
    assert "all 2 matching events" in page


def test_a_preview_shows_the_event_that_was_picked(someone: Client, town: SimpleNamespace) -> None:
    seqs = [order(town) for _ in range(20)]
    answer = someone.post("/rules/preview/", preview(town, selected=str(seqs[0])))
    assert answer.context["chosen"].event.seq == seqs[0]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"values": [""]}, "Write a value"),
        ({"mode": "json", "pattern": "{"}, "Line 1"),
        ({"template": "${"}, "Line 1"),
        ({"config-http-url": "not a url"}, "would have gone"),
        ({"type": ["never.seen"]}, "nothing to try it on"),
    ],
)
def test_a_preview_of_something_wrong_says_where(
    someone: Client, town: SimpleNamespace, wrong: dict[str, Any], sentence: str
) -> None:
    order(town)
    answer = someone.post("/rules/preview/", preview(town, **wrong))
    assert answer.status_code == 200
    assert sentence in text(answer)


def test_a_preview_takes_two_thousand_events_in_a_bounded_number_of_queries(
    someone: Client, town: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    for number in range(2020):
        order(town, "SEK" if number % 2 else "EUR")
    with django_assert_max_num_queries(25):
        answer = someone.post("/rules/preview/", preview(town))
    assert answer.context["looked"] == 2000


def test_pages_cost_a_bounded_number_of_queries(
    someone: Client, town: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    Target.objects.bulk_create(
        Target(name=f"t{number}", rule=town.rule, connector="http", transform={"kind": "complete"})
        for number in range(300)
    )
    seq = refuse(town)
    for path, most in (
        ("/deliveries/", 45),
        ("/targets/", 25),
        ("/dead-letters/", 25),
        (f"/journey/{seq}/", 40),
    ):
        with django_assert_max_num_queries(most):
            assert someone.get(path).status_code == 200


def test_the_topics_of_the_live_feed_name_a_permission() -> None:
    from delivery.live import needed_for

    assert {
        topic: needed_for(topic) for topic in ("wire", "deliveries:failed", "target:7", "bin:3", "summary:1h")
    } == {
        "wire": "catalog.view_eventtype",
        "deliveries:failed": "rules.view_target",
        "target:7": "rules.view_target",
        "bin:3": "delivery.view_requestbin",
        "summary:1h": "rules.view_target",
    }
    for wrong in ("", "target:", "target:1x", "target:1;drop", "bin", "summary:9h", "wire:1", "deliveries:"):
        assert needed_for(wrong) is None


def test_a_burst_is_shown_evenly_and_says_one_in_how_many(town: SimpleNamespace) -> None:
    from delivery.live import ROWS, _of
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


def test_every_page_of_rules_and_delivery_names_its_permission() -> None:
    found = [
        one
        for one in _patterns(get_resolver())
        if one.callback.__module__.startswith(("rules.", "delivery."))
    ]
    assert len(found) > 25
    for pattern in found:
        assert permission_of(pattern.callback) not in (None, "public"), pattern.name


def _patterns(resolver: Any) -> list[URLPattern]:
    listed: list[URLPattern] = []
    for one in resolver.url_patterns:
        listed += [one] if isinstance(one, URLPattern) else _patterns(one)
    return listed
