"""Personal data reaches a rule's targets only with the approval of its owner, whichever way the rule is saved."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from catalog import approvals
from catalog.models import Approval, Bus, EventType, Team
from rules import personal, revisions
from rules.models import Rule, RuleRevision, Target, TargetRevision
from rules.personal import NotApproved
from tests.integration.rule_pages.editor_form import changed, form

pytestmark = pytest.mark.django_db

LETTERS = {"kind": "partial", "path": "$.data.total"}


@pytest.fixture
def marked(town: Bus) -> EventType:
    """The event type of another team, with a field that is personal."""
    people = Team.objects.create(name="People", slug="people")
    kind = EventType.objects.get()
    kind.team, kind.personal = people, ["zip"]
    kind.save()
    return kind


@pytest.fixture
def shop(marked: EventType) -> Team:
    return Team.objects.get(slug="shop")


@pytest.fixture
def subscribed(town: Bus, marked: EventType, shop: Team) -> Rule:
    """A listening rule that is sent no personal field."""
    rule = Rule(name="Totals", bus=town, team=shop, pattern={"type": ["order.placed"]})
    target = Target(
        name="Sums", connector="http", config={"url": "http://127.0.0.1:8999/sum"}, transform=LETTERS
    )
    return revisions.subscribe(rule, target)


@pytest.fixture
def running(saved: Rule, marked: EventType) -> Rule:
    """A rule that listened before the field was marked, and is sent everything."""
    return saved


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def send(shop: Team, town: Bus, **values: Any) -> dict[str, Any]:
    return form(town, **{"team": shop.pk, "path": [], "method": [], "values": []} | values)


def grant(marked: EventType, team: Team, by: Any = None) -> Approval:
    found = approvals.ask(marked, team, "Letters", by)
    approvals.decide(found, True, "", by)
    return found


def test_a_rule_that_would_send_personal_data_does_not_start_and_says_what_and_whose(
    someone: Client, town: Bus, marked: EventType, shop: Team
) -> None:
    answer = someone.post("/subscribe/?type=order.placed", send(shop, town))
    assert answer.status_code == 422
    text = text_of(answer)
    assert "It would send personal data" in text
    assert "zip of order.placed is personal data: People has to let Shop receive it." in text
    assert not Rule.objects.exists()


def test_it_is_kept_as_a_draft_and_asked_for_in_one_step_and_starts_once_granted(
    someone: Client, town: Bus, marked: EventType, shop: Team
) -> None:
    answer = someone.post("/subscribe/?type=order.placed", send(shop, town, do="ask"))
    assert answer.status_code == 422
    assert "Say what for: the owner decides by it." in text_of(answer)
    asked = send(shop, town, do="ask") | {"approval-reason": "To send letters"}
    answer = someone.post("/subscribe/?type=order.placed", asked, follow=True)
    assert "Saved as a draft, and asked." in text_of(answer)
    assert "asked, no answer yet" in text_of(answer)
    rule, approval = Rule.objects.get(), Approval.objects.get()
    assert (rule.draft, rule.enabled) == (True, False)
    assert (approval.reason, approval.team, approval.event_type) == ("To send letters", shop, marked)
    switch = f"/rules/{rule.pk}/switch/"
    assert "It does not listen yet." in text_of(someone.post(switch, {"enabled": "1"}, follow=True))
    rule.refresh_from_db()
    assert not rule.enabled
    assert "wants the personal data of order.placed" in text_of(someone.get("/approvals/"))
    someone.post(f"/approvals/{approval.pk}/decide/", {"do": "grant", "answer": "For letters only."})
    page = text_of(someone.get(f"/rules/{rule.pk}/"))
    assert "approved" in page
    assert "For letters only." in page
    assert "It may start to listen." in page
    assert "Listening." in text_of(someone.post(switch, {"enabled": "1"}, follow=True))
    rule.refresh_from_db()
    assert rule.enabled


def test_fewer_fields_need_no_approval(someone: Client, town: Bus, marked: EventType, shop: Team) -> None:
    parts = {"send": "partial", "part-name": ["total"], "part-path": ["$.data.total"]}
    assert someone.post("/subscribe/?type=order.placed", send(shop, town, **parts)).status_code == 302
    assert Rule.objects.get().enabled


def test_the_owners_rules_need_no_approval(someone: Client, town: Bus, marked: EventType) -> None:
    assert someone.post("/subscribe/?type=order.placed", send(marked.team, town)).status_code == 302
    assert Rule.objects.get().enabled


def test_nobody_borrows_another_teams_right(client: Client, town: Bus, marked: EventType, shop: Team) -> None:
    user = get_user_model().objects.create_user("jonas")
    codes = ["add_rule", "change_rule", "view_rule", "add_target", "view_eventtype", "change_target"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    shop.members.add(user)
    client.force_login(user)
    answer = client.post("/subscribe/?type=order.placed", send(marked.team, town))
    assert answer.status_code == 422
    assert "only members of People and staff let its rules receive it" in text_of(answer)
    marked.team.members.add(user)
    assert client.post("/subscribe/?type=order.placed", send(marked.team, town)).status_code == 302


@pytest.mark.parametrize("pattern", [{}, {"type": [{"prefix": "order."}]}, {"type": [{"anything-but": "x"}]}])
def test_a_rule_that_names_no_type_is_asked_about_all_it_could_take(
    town: Bus, marked: EventType, shop: Team, pattern: dict[str, Any]
) -> None:
    rule = Rule(name="Wide", bus=town, team=shop, pattern=pattern)
    with pytest.raises(NotApproved, match=r"zip of order\.placed"):
        revisions.subscribe(rule, Target(name="All", connector="http"))
    narrow = Rule(name="Narrow", bus=town, team=shop, pattern={"type": ["order.paid"]})
    assert revisions.subscribe(narrow, Target(name="All", connector="http")).pk


def more_sent(rule: Rule) -> None:
    target = rule.targets.get()
    target.transform = {"kind": "complete"}
    revisions.save_target(target)


def another_target(rule: Rule) -> None:
    revisions.save_target(Target(name="Other", rule=rule, connector="http"))


def another_type(rule: Rule) -> None:
    """Its complete target took another type before."""
    rule.pattern = {"type": ["order.paid"]}
    revisions.save_rule(rule)
    more_sent(rule)
    rule.pattern = {"type": ["order.placed"]}
    revisions.save_rule(rule)


def switched_on(rule: Rule) -> None:
    rule.enabled = False
    revisions.save_rule(rule)
    more_sent(rule)
    revisions.start(rule)


def back_to_more(rule: Rule) -> None:
    target = rule.targets.get()
    revision = TargetRevision.objects.get(target_id=target.pk)
    revision.transform = {"kind": "complete"}
    revisions.roll_back_target(target, revision)


def rule_back_to_more(rule: Rule) -> None:
    to = RuleRevision.objects.filter(rule_id=rule.pk).latest("pk")
    rule.pattern = {"type": ["order.paid"]}
    revisions.save_rule(rule)
    more_sent(rule)
    revisions.roll_back_rule(rule, to)


@pytest.mark.parametrize(
    "change", [more_sent, another_target, another_type, switched_on, back_to_more, rule_back_to_more]
)
def test_no_way_of_saving_leads_around_the_approval(
    subscribed: Rule, marked: EventType, shop: Team, change: Any, django_db_blocker: Any
) -> None:
    with pytest.raises(NotApproved):
        change(subscribed)
    stored = Rule.objects.get(pk=subscribed.pk)
    sent = [claim for claim in personal.claims_of(stored) if stored.enabled and not claim.is_allowed]
    assert sent == []
    grant(marked, shop)
    change(Rule.objects.get(pk=subscribed.pk))


def test_the_history_page_says_why_it_does_not_go_back(someone: Client, running: Rule) -> None:
    target = running.targets.get()
    first = TargetRevision.objects.get(target_id=target.pk)
    target.transform = LETTERS
    revisions.save_target(target)
    answer = someone.post(f"/targets/{target.pk}/history/{first.pk}/roll-back/", follow=True)
    assert "It does not go back. zip of order.placed is personal data" in text_of(answer)
    target.refresh_from_db()
    assert target.transform == LETTERS


def test_what_ran_before_the_field_was_marked_runs_on_and_is_shown_to_the_owner(
    someone: Client, town: Bus, running: Rule
) -> None:
    page = text_of(someone.get("/approvals/"))
    assert "Running, not approved" in page
    assert "Large orders" in page
    running.name = "Very large orders"
    revisions.save_rule(running)
    running.refresh_from_db()
    assert running.enabled
    target = running.targets.get()
    revisions.set_state(target, Target.State.PAUSED)
    revisions.set_state(target, Target.State.RUNNING)
    answer = someone.post(f"/rules/{running.pk}/edit/", changed(town, running, values=["12"]))
    assert answer.status_code in (200, 422)
    assert "Save this change of a rule that listens?" in text_of(answer)


def test_a_no_pauses_what_is_sent_and_nothing_resumes_it_but_a_yes(
    someone: Client, running: Rule, subscribed: Rule, marked: EventType, shop: Team
) -> None:
    approval, target = grant(marked, shop), running.targets.get()
    url = f"/approvals/{approval.pk}/decide/"
    answer = someone.post(url, {"do": "refuse"})
    assert answer.status_code == 422
    assert "Say why not" in text_of(answer)
    target.refresh_from_db()
    assert target.state == Target.State.RUNNING
    answer = someone.post(url, {"do": "refuse", "answer": "The contract has ended."}, follow=True)
    assert "1 target is paused." in text_of(answer)
    target.refresh_from_db()
    assert target.state == Target.State.PAUSED
    assert (
        target.state_reason == "People does not let Shop receive zip of order.placed. The contract has ended."
    )
    assert subscribed.targets.get().state == Target.State.RUNNING
    resume = f"/targets/{target.pk}/resume/"
    assert "It stays paused." in text_of(someone.post(resume, follow=True))
    # Asking again is no answer.
    someone.post(f"/rules/{running.pk}/ask/", {"approval-reason": "A new contract"})
    assert Approval.objects.get().state == Approval.State.ASKED
    assert "It stays paused." in text_of(someone.post(resume, follow=True))
    someone.post(url, {"do": "grant"})
    assert "Running." in text_of(someone.post(resume, follow=True))


def test_an_owner_ends_what_was_never_asked_for(
    someone: Client, running: Rule, marked: EventType, shop: Team
) -> None:
    url = f"/approvals/{marked.name}/teams/{shop.slug}/refuse/"
    assert f'action="{url}"' in someone.get("/approvals/").content.decode()
    assert someone.post(url).status_code == 422
    assert not Approval.objects.exists()
    assert someone.post(url, {"answer": "Ask first."}).status_code == 302
    target = running.targets.get()
    assert (target.state, Approval.objects.get().state) == (Target.State.PAUSED, Approval.State.REFUSED)
    assert "Running, not approved" not in text_of(someone.get("/approvals/"))
    someone.logout()
    stranger = get_user_model().objects.create_user("jonas")
    stranger.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    someone.force_login(stranger)
    assert someone.post(url, {"answer": "Mine."}).status_code == 403


def test_a_rule_that_listens_is_asked_for_and_not_changed(
    someone: Client, town: Bus, subscribed: Rule, marked: EventType, shop: Team
) -> None:
    asked = changed(
        town, subscribed, name="Totals", team=shop.pk, path=[], method=[], values=[], do="ask"
    ) | {"approval-reason": "To send letters", "target-name": "Sums", "config-http-headers": ""}
    answer = someone.post(f"/rules/{subscribed.pk}/edit/", asked)
    assert answer.status_code == 200
    assert "Asked. Nothing is saved yet." in text_of(answer)
    assert Approval.objects.get().reason == "To send letters"
    assert subscribed.targets.get().transform == LETTERS
    # The form still holds what is to be saved.
    assert 'value="complete" checked' in answer.content.decode()


def test_a_target_of_a_listening_rule_is_not_added_without_an_approval(
    someone: Client, town: Bus, subscribed: Rule, shop: Team, marked: EventType
) -> None:
    sent = {"send": "complete", "deliver": "place:bin", "target-name": "All of it", "do": "save"}
    answer = someone.post(f"/rules/{subscribed.pk}/targets/new/", sent)
    assert answer.status_code == 422
    assert "It would send personal data" in text_of(answer)
    assert subscribed.targets.count() == 1
    grant(marked, shop)
    assert someone.post(f"/rules/{subscribed.pk}/targets/new/", sent).status_code == 302


@pytest.mark.parametrize(
    "config",
    [
        {"url": "http://127.0.0.1:8999/${data.zip}"},
        {"url": "http://127.0.0.1:8999/sum?z=${data['zip']}"},
        {"url": "http://127.0.0.1:8999/sum", "event_headers": {"X-Zip": "${data.zip}"}},
    ],
)
def test_a_personal_field_in_the_url_or_a_header_needs_the_approval_too(
    someone: Client, subscribed: Rule, marked: EventType, shop: Team, config: dict[str, Any]
) -> None:
    target = subscribed.targets.get()
    target.config = config
    with pytest.raises(NotApproved, match="zip"):
        revisions.save_target(target)
    target.refresh_from_db()
    sent = {
        "send": "partial", "part-path": "$.data.total", "deliver": "connector:http", "target-name": "Sums",
        "config-http-url": config["url"], "config-http-method": "POST", "config-http-mode": "binary",
        "config-http-timeout": "10", "config-http-auth": "none", "do": "save",
        "config-http-event_headers": "".join(f"{name}: {text}" for name, text in config.get("event_headers", {}).items()),
    }  # fmt: skip
    answer = someone.post(f"/targets/{target.pk}/edit/", sent)
    assert answer.status_code == 422
    assert "zip of order.placed is personal data" in text_of(answer)
    grant(marked, shop)
    target.config = config
    revisions.save_target(target)
    assert [claim.fields for claim in personal.claims_of(subscribed)] == [("zip",)]


def test_only_owners_decide_and_see_who_asks(
    client: Client, running: Rule, marked: EventType, shop: Team
) -> None:
    user = get_user_model().objects.create_user("jonas")
    codes = ["view_eventtype", "change_eventtype", "change_rule", "view_rule"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    shop.members.add(user)
    client.force_login(user)
    client.post(f"/rules/{running.pk}/ask/", {"approval-reason": "Letters"})
    approval = Approval.objects.get()
    page = text_of(client.get("/approvals/"))
    assert "Asked by your teams" in page
    assert "Waiting for your answer" not in page
    answer = client.post(f"/approvals/{approval.pk}/decide/", {"do": "grant"})
    assert answer.status_code == 403
    assert "Only members of People" in text_of(answer)
    approval.refresh_from_db()
    assert approval.state == Approval.State.ASKED
    marked.team.members.add(user)
    page = client.get("/approvals/").content.decode()
    assert "Waiting for your answer" in page
    # The rail counts what waits for this person.
    assert re.search(r'Approvals</span><span class="count"><span class="num">1<', page)


def test_asking_needs_a_reason_and_asks_once(someone: Client, running: Rule) -> None:
    assert "Say what for" in text_of(someone.post(f"/rules/{running.pk}/ask/", {}, follow=True))
    assert not Approval.objects.exists()
    for reason in ("Letters", "Letters to customers"):
        someone.post(f"/rules/{running.pk}/ask/", {"approval-reason": reason})
    assert Approval.objects.get().reason == "Letters to customers"


def test_nothing_to_approve_says_so(someone: Client, town: Bus) -> None:
    assert "Nothing to approve." in text_of(someone.get("/approvals/"))


def test_without_personal_fields_saving_asks_the_catalog_once(
    subscribed: Rule, django_assert_max_num_queries: Any
) -> None:
    EventType.objects.update(personal=[])
    with django_assert_max_num_queries(14):
        revisions.save_target(subscribed.targets.get())
