"""The pages of rules through Django: the editor both ways, what saving does, what is refused and where it says so."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from catalog.models import Bus, Domain, EventType, SchemaVersion, Source, Team
from delivery.models import RequestBin
from rules.conditions import Row
from rules.models import Rule, RuleRevision, Target, TargetRevision
from rules.pages import history
from rules.revisions import save_rule, save_target, subscribe
from rules.sending import Sending

pytestmark = pytest.mark.django_db

SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}, "zip": {"type": "string"}}}


@pytest.fixture
def town() -> Bus:
    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Shop", slug="shop")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", team=team)
    source = Source.objects.create(name="Shop", slug="shop", uri="/shop", bus=bus, team=team)
    made = EventType.objects.create(
        name="order.placed", summary="A customer ordered.", domain=domain, team=team
    )
    made.sources.add(source)
    SchemaVersion.objects.create(
        event_type=made, number=1, schema=json.dumps(SCHEMA), example='{"total": 9.5}'
    )
    return bus


@pytest.fixture
def someone(client: Client, town: Bus) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


@pytest.fixture
def saved(town: Bus) -> Rule:
    """A saved rule with one HTTP target that has a secret header."""
    rule = Rule(name="Large orders", bus=town, team=Team.objects.get(), pattern={"type": ["order.placed"]})
    config = {"url": "http://127.0.0.1:8999/hook", "headers": {"Authorization": "Bearer s3cret"}}
    target = Target(name="Billing", connector="http", config=config, transform={"kind": "complete"})
    return subscribe(rule, target)


def form(town: Bus, **values: Any) -> dict[str, Any]:
    """What the subscribe form sends."""
    return {
        "name": "Orders to me",
        "bus": town.pk,
        "team": Team.objects.get().pk,
        "type": ["order.placed"],
        "mode": "rows",
        "path": ["data.total"],
        "method": ["is"],
        "values": ["12, 13"],
        "send": "complete",
        "deliver": "place:bin",
        "target-name": "My bin",
        "do": "start",
    } | values


def test_the_form_is_prefilled_from_the_type(someone: Client) -> None:
    page = someone.get("/subscribe/?type=order.placed").content.decode()
    assert 'name="type" value="order.placed"' in page
    assert "order.placed to a request bin" in page
    assert "A request bin" in page
    assert "data.total" in page


def test_subscribing_saves_the_rule_with_a_request_bin_of_its_own(someone: Client, town: Bus) -> None:
    answer = someone.post("/subscribe/", form(town))
    rule = Rule.objects.get()
    assert answer.headers["Location"] == reverse("rule", args=[rule.pk])
    assert rule.pattern == {"type": ["order.placed"], "data": {"total": [12, 13]}}
    target = rule.targets.get()
    made = RequestBin.objects.get()
    assert (target.name, target.connector) == ("My bin", "http")
    assert target.config["url"] == f"http://testserver/bin/{made.address}/"
    assert RuleRevision.objects.filter(rule_id=rule.pk).order_by("pk").last().target_ids == [target.pk]
    assert TargetRevision.objects.get(target_id=target.pk).transform == {"kind": "complete"}


def test_a_saved_request_bin_is_shown_as_one_with_a_link_to_it(someone: Client, town: Bus) -> None:
    someone.post("/subscribe/", form(town))
    rule, made = Rule.objects.get(), RequestBin.objects.get()
    answer = someone.get(f"/rules/{rule.pk}/edit/")
    place, found = answer.context["made"]
    assert place.name == "bin"
    assert found.name == "My bin"
    shown = answer.content.decode()
    assert f'<a class="link" href="/bins/{made.pk}/">My bin</a>' in shown
    # Saving keeps delivering there; another address is no bin.
    values = {name: answer.context["to"].chosen[name].value() for name in ("url", "method", "mode")}
    sent = form(town, deliver="connector:http", do="save") | {
        f"config-http-{name}": value for name, value in values.items()
    }
    assert someone.post(f"/rules/{rule.pk}/edit/", sent).status_code == 302
    assert RequestBin.objects.count() == 1
    sent |= {"config-http-url": "http://127.0.0.1:8999/hook", "do": "refresh"}
    assert someone.post(f"/rules/{rule.pk}/edit/", sent).context["made"] is None


def test_a_target_without_a_name_is_called_after_where_it_delivers(someone: Client, town: Bus) -> None:
    page = someone.get("/subscribe/?type=order.placed").content.decode()
    assert 'placeholder="Request bin of order.placed"' in page
    someone.post("/subscribe/", form(town, **{"target-name": ""}))
    rule = Rule.objects.get()
    assert rule.targets.get().name == "Request bin of Orders to me"
    assert RequestBin.objects.get().name == "Request bin of Orders to me"
    http = {"deliver": "connector:http", "config-http-url": "http://billing.example:8999/hook"}
    values = form(town, **http, do="save") | {"target-name": " "}
    shown = someone.post("/rules/preview/", values | {"rule": rule.pk}, headers={"HX-Request": "true"})
    assert shown.context["name"] == "billing.example"
    for _time in range(2):
        assert someone.post(f"/rules/{rule.pk}/targets/new/", values).status_code == 302
    names = set(rule.targets.values_list("name", flat=True))
    assert names == {"Request bin of Orders to me", "billing.example", "billing.example 2"}
    # A saved target keeps its name: it cannot be emptied.
    first = rule.targets.first()
    assert first is not None
    refused = someone.post(f"/targets/{first.pk}/edit/", values)
    assert refused.status_code == 422


def test_a_json_pattern_and_a_template_are_saved_as_written(someone: Client, town: Bus) -> None:
    values = form(
        town,
        mode="json",
        pattern='{"type": ["order.placed"], "data": {"zip": [{"prefix": "1"}, "x"]}}',
        send="template",
        template='{"n": "${data.total}"}',
        deliver="connector:http",
        **{
            "config-http-url": "http://127.0.0.1:8999/x",
            "config-http-headers": "X-Team: shop",
            "target-order": "none",
        },
    )
    assert someone.post("/subscribe/", values).status_code == 302
    rule = Rule.objects.get()
    assert rule.pattern["data"] == {"zip": [{"prefix": "1"}, "x"]}
    target = rule.targets.get()
    assert target.transform == {"kind": "template", "template": '{"n": "${data.total}"}'}
    assert target.config["headers"] == {"X-Team": "shop"}
    assert (target.order, target.max_attempts) == ("none", 8)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"mode": "json", "pattern": '{\n "data": {"n": [{"regex": "a"}]}}'},
            "Line 2, /data/n/0: `regex`",
        ),
        ({"mode": "json", "pattern": "{"}, "Line 1"),
        ({"values": [""]}, "Write a value"),
        ({"values": ["many"]}, "This field is a number"),
        ({"send": "template", "template": '{"a": "${data"}'}, "Line 1"),
        ({"name": ""}, "This field is required"),
        ({"name": "Large orders"}, "has this name already"),
        ({"deliver": "connector:http"}, "This field is required"),
        ({"deliver": "connector:http", "config-http-url": "ftp://x"}, "http"),
        ({"target-first_delay": "9", "target-longest_delay": "2"}, "must not be shorter"),
        ({"deliver": "place:nowhere"}, "Not saved"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    someone: Client, town: Bus, saved: Rule, wrong: dict[str, Any], sentence: str
) -> None:
    answer = someone.post("/subscribe/", form(town, **wrong))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert list(Rule.objects.all()) == [saved]
    assert not RequestBin.objects.exists()


def test_buttons_add_and_remove_without_saving_or_complaining(someone: Client, town: Bus) -> None:
    page = someone.post("/subscribe/", form(town, do="add-row", name="")).content.decode()
    assert page.count('name="path"') == 2
    assert "This field is required" not in page
    page = someone.post("/subscribe/", form(town, do="drop-row-0")).content.decode()
    assert 'name="path"' not in page
    page = someone.post("/subscribe/", form(town, do="drop-type-0")).content.decode()
    assert "Every event of the bus." in page
    page = someone.post("/subscribe/", form(town, do="add-type", add_type="order.paid")).content.decode()
    assert 'value="order.placed"' in page
    assert 'value="order.paid"' in page
    assert not Rule.objects.exists()


def test_conditions_become_json_and_come_back(someone: Client, town: Bus) -> None:
    answer = someone.post("/subscribe/", form(town, do="mode-json"))
    draft = answer.context["draft"]
    assert draft.mode == "json"
    assert json.loads(draft.text) == {"type": ["order.placed"], "data": {"total": [12, 13]}}
    answer = someone.post("/subscribe/", form(town, mode="json", pattern=draft.text, do="mode-rows"))
    assert answer.context["draft"].rows == [("data.total", "is", "12, 13", "")]


@pytest.mark.parametrize(
    "asked",
    ['{"data": {"zip": ["a", {"prefix": "b"}]}}', '{"data": {"zip": [12]}, "type": ["order.placed"]}'],
)
def test_what_conditions_cannot_say_stays_json(someone: Client, town: Bus, asked: str) -> None:
    answer = someone.post("/subscribe/", form(town, mode="json", pattern=asked, do="mode-rows"))
    assert answer.context["draft"].mode == "json"
    assert "It stays JSON." in answer.content.decode()


def test_a_draft_does_not_listen_until_it_is_started(someone: Client, town: Bus) -> None:
    answer = someone.post("/subscribe/", form(town, do="draft"))
    rule = Rule.objects.get()
    assert answer.headers["Location"] == reverse("edit-rule", args=[rule.pk])
    assert (rule.draft, rule.enabled) == (True, False)
    assert RuleRevision.objects.filter(rule_id=rule.pk).last().draft
    page = someone.get(f"/rules/{rule.pk}/edit/").content.decode()
    assert "Draft, not listening yet" in page
    assert "Start listening" in page
    target = rule.targets.get()
    values = form(town, values=["7"], deliver="connector:http", **{"config-http-url": target.config["url"]})
    # Saving it again leaves it a draft, and nobody is asked: nothing listens that could change.
    someone.post(f"/rules/{rule.pk}/edit/", values | {"do": "draft"})
    rule.refresh_from_db()
    assert (rule.draft, rule.pattern["data"]) == (True, {"total": [7]})
    someone.post(f"/rules/{rule.pk}/edit/", values)
    rule.refresh_from_db()
    assert (rule.draft, rule.enabled) == (False, True)
    assert rule.targets.get() == target
    words = [sentence for change in history.of_rule(rule.pk) for sentence in change.words]
    assert "It started to listen." in words
    assert "The rule was made as a draft." in words


def test_a_draft_that_is_started_from_its_page_listens(someone: Client, town: Bus) -> None:
    someone.post("/subscribe/", form(town, do="draft"))
    rule = Rule.objects.get()
    assert "Start listening" in someone.get(f"/rules/{rule.pk}/").content.decode()
    someone.post(f"/rules/{rule.pk}/switch/", {"enabled": "1"})
    rule.refresh_from_db()
    assert (rule.draft, rule.enabled) == (False, True)


def changed(town: Bus, saved: Rule, **values: Any) -> dict[str, Any]:
    """What the editor of the saved rule sends after its filter was changed."""
    return form(
        town,
        **{
            "name": "Large orders",
            "path": ["data.zip"],
            "values": ["12345"],
            "deliver": "connector:http",
            "config-http-url": "http://127.0.0.1:8999/hook",
            "config-http-headers": "Authorization: ••••",
            "target-name": "Billing",
            "do": "save",
        }
        | values,
    )


def test_a_change_of_a_listening_rule_is_saved_once_its_consequences_were_seen(
    someone: Client, town: Bus, saved: Rule
) -> None:
    url = f"/rules/{saved.pk}/edit/"
    assert 'value="Large orders"' in someone.get(url).content.decode()
    asked = someone.post(url, changed(town, saved))
    assert asked.status_code == 422
    assert "Save this change of a rule that listens?" in asked.content.decode()
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"]}
    # What was confirmed is that very filter, no other.
    confirmed = asked.context["digest"]
    assert someone.post(url, changed(town, saved, values=["9"], confirmed=confirmed)).status_code == 422
    assert someone.post(url, changed(town, saved, confirmed=confirmed)).status_code == 302
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"], "data": {"zip": ["12345"]}}
    newest = RuleRevision.objects.filter(rule_id=saved.pk).order_by("pk").last()
    assert newest.pattern == saved.pattern
    assert newest.by.get_username() == "mara"
    assert newest.target_ids == [saved.targets.get().pk]
    # The target was not changed, and its secret is still there.
    assert TargetRevision.objects.count() == 1
    assert saved.targets.get().config["headers"] == {"Authorization": "Bearer s3cret"}


def test_by_script_the_question_comes_as_a_page_and_the_end_as_a_redirect(
    someone: Client, town: Bus, saved: Rule
) -> None:
    url, script = f"/rules/{saved.pk}/edit/", {"HX-Request": "true"}
    asked = someone.post(url, changed(town, saved), headers=script)
    assert asked.status_code == 200
    done = someone.post(url, changed(town, saved, confirmed=asked.context["digest"]), headers=script)
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, f"/rules/{saved.pk}/")


def test_a_rule_with_several_targets_is_edited_apart_from_them(
    someone: Client, town: Bus, saved: Rule
) -> None:
    second = Target(rule=saved, name="Second", connector="http", config={"url": "http://127.0.0.1:8999/2"})
    save_target(second)
    page = someone.get(f"/rules/{saved.pk}/edit/").content.decode()
    assert f'href="/targets/{second.pk}/edit/"' in page
    assert 'name="deliver"' not in page
    asked = someone.post(f"/rules/{saved.pk}/edit/", changed(town, saved))
    someone.post(f"/rules/{saved.pk}/edit/", changed(town, saved, confirmed=asked.context["digest"]))
    saved.refresh_from_db()
    assert saved.pattern["data"] == {"zip": ["12345"]}
    assert TargetRevision.objects.count() == 2


def test_who_may_change_rules_only_does_not_change_the_target_with_it(
    client: Client, town: Bus, saved: Rule
) -> None:
    person = get_user_model().objects.create_user("ruler")
    person.user_permissions.set(Permission.objects.filter(codename__in=("view_rule", "change_rule")))
    client.force_login(person)
    assert 'name="deliver"' not in client.get(f"/rules/{saved.pk}/edit/").content.decode()
    url = {"config-http-url": "http://127.0.0.1:8999/elsewhere"}
    asked = client.post(f"/rules/{saved.pk}/edit/", changed(town, saved, **url))
    values = changed(town, saved, confirmed=asked.context["digest"], **url)
    assert client.post(f"/rules/{saved.pk}/edit/", values).status_code == 302
    assert saved.targets.get().config["url"] == "http://127.0.0.1:8999/hook"
    assert TargetRevision.objects.count() == 1


def test_who_saves_over_a_newer_revision_is_told(someone: Client, town: Bus, saved: Rule) -> None:
    answer = someone.post(f"/rules/{saved.pk}/edit/", changed(town, saved, revision="0"))
    assert answer.status_code == 422
    assert "somebody else saved this rule meanwhile" in answer.content.decode()
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"]}


def test_a_rule_goes_back_to_what_it_was_as_a_new_revision(someone: Client, town: Bus, saved: Rule) -> None:
    first = RuleRevision.objects.filter(rule_id=saved.pk).earliest("pk")
    saved.pattern, saved.sql = {"type": ["order.paid"]}, "EXISTS subject"
    save_rule(saved)
    page = someone.get(f"/rules/{saved.pk}/history/").content.decode()
    assert "It listens to order.paid too." in page
    assert "The CESQL expression was added: EXISTS subject" in page
    url = f"/rules/{saved.pk}/history/{first.pk}/roll-back/"
    asked = someone.post(url)
    assert "Go back: 0 gained, 0 lost" in asked.content.decode()
    saved.refresh_from_db()
    assert saved.sql == "EXISTS subject"
    assert someone.post(url, {"confirmed": str(first.pk)}).status_code == 302
    saved.refresh_from_db()
    assert (saved.pattern, saved.sql, saved.enabled) == ({"type": ["order.placed"]}, "", True)
    newest = RuleRevision.objects.filter(rule_id=saved.pk).latest("pk")
    assert (newest.back_to, newest.number) == (first.number, saved.revision)
    assert "back to r1" in someone.get(f"/rules/{saved.pk}/history/").content.decode()


def test_a_rule_that_was_saved_very_often_shows_its_newest_changes(
    someone: Client, saved: Rule, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(history, "MOST", 10)
    for number in range(20):
        saved.sql = f"a = '{number}'"
        save_rule(saved)
    with django_assert_max_num_queries(12):
        page = someone.get(f"/rules/{saved.pk}/history/").content.decode()
    assert page.count("Go back to revision") == 9
    assert "The CESQL expression became “a = &#x27;19&#x27;”; it was “a = &#x27;18&#x27;”." in page
    assert "The rule was made." not in page


def test_a_target_goes_back_and_its_secret_is_never_shown(someone: Client, saved: Rule) -> None:
    target = saved.targets.get()
    first = TargetRevision.objects.get(target_id=target.pk)
    target.config = {"url": "http://127.0.0.1:8999/new", "headers": {"Authorization": "Bearer 0ther"}}
    target.transform, target.max_attempts = {"kind": "template", "template": "{}"}, 3
    save_target(target)
    page = someone.get(f"/targets/{target.pk}/history/").content.decode()
    assert "URL became “http://127.0.0.1:8999/new”; it was “http://127.0.0.1:8999/hook”." in page
    assert "Headers: changed, not shown." in page
    assert "Policy, attempts: 3; it was 8." in page
    assert "s3cret" not in page
    assert "0ther" not in page
    someone.post(f"/targets/{target.pk}/history/{first.pk}/roll-back/")
    target.refresh_from_db()
    assert (target.config, target.max_attempts) == (first.config, 8)
    assert TargetRevision.objects.filter(target_id=target.pk).latest("number").back_to == 1


def test_going_back_to_a_connector_that_is_gone_is_refused(someone: Client, saved: Rule) -> None:
    target = saved.targets.get()
    gone = TargetRevision.objects.create(
        target_id=target.pk, number=9, name="Billing", connector="pigeon", config={}
    )
    answer = someone.post(f"/targets/{target.pk}/history/{gone.pk}/roll-back/", follow=True)
    assert "“pigeon” of that revision is not installed" in answer.content.decode()
    target.refresh_from_db()
    assert target.connector == "http"


def test_a_type_that_is_being_typed_counts_once_it_is_added_or_saved(someone: Client, town: Bus) -> None:
    typing = {"type": [], "add_type": "order.placed"}
    tried = someone.post("/rules/preview/", form(town, **typing), headers={"HX-Request": "true"})
    assert tried.context["draft"].types == []
    other = someone.post("/subscribe/", form(town, **typing, do="add-row"))
    assert other.context["draft"].types == []
    assert 'value="order.placed"' in other.content.decode()
    for button in ("add-type", "refresh"):
        added = someone.post("/subscribe/", form(town, **typing, do=button))
        assert added.context["draft"].types == ["order.placed"]
        assert "has been seen or registered" not in added.content.decode()
    assert someone.post("/subscribe/", form(town, **typing, do="start")).status_code == 302
    assert Rule.objects.get().pattern["type"] == ["order.placed"]


def test_a_type_that_nobody_knows_is_taken_and_said_to_be_unknown(someone: Client, town: Bus) -> None:
    answer = someone.post("/subscribe/", form(town, add_type="order.plaiced", do="add-type"))
    assert answer.context["draft"].types == ["order.placed", "order.plaiced"]
    assert 'No event called <span class="mono">order.plaiced</span> has been seen' in answer.content.decode()


def test_a_pressed_value_becomes_a_condition(someone: Client, town: Bus) -> None:
    pick = json.dumps({"path": "data.zip", "value": "123"})
    draft = someone.post("/subscribe/", form(town, pick=pick)).context["draft"]
    assert draft.rows[1] == Row("data.zip", "is", "123")
    again = json.dumps({"path": "data.zip", "value": "456"})
    values = form(town, path=["data.zip"], method=["is"], values=["123"], pick=again)
    assert someone.post("/subscribe/", values).context["draft"].rows == [Row("data.zip", "is", "123, 456")]
    values = form(town, mode="json", pattern='{"data": {"zip": ["a"]}}', pick=pick)
    assert someone.post("/subscribe/", values).context["draft"].pattern == {"data": {"zip": ["a", "123"]}}
    for nonsense in ("", "{", '{"path": 1}', '{"path": "a", "value": {}}'):
        assert someone.post("/subscribe/", form(town, pick=nonsense, do="refresh")).status_code == 200
    assert not Rule.objects.exists()


@pytest.mark.parametrize(("path", "value"), [("data.zip", "123"), ("type", "order.paid"), ("data.zip", None)])
def test_a_pressed_value_of_a_field_asked_for_otherwise_leads_to_its_row(
    someone: Client, town: Bus, path: str, value: Any
) -> None:
    rows = {"path": ["data.total", path], "method": ["is", "prefix"], "values": ["1", "o"], "type": []}
    pick = json.dumps({"path": path, "value": value})
    answer = someone.post("/subscribe/", form(town, **rows, pick=pick))
    draft = answer.context["draft"]
    assert draft.rows == [Row("data.total", "is", "1"), Row(path, "prefix", "o")]
    assert draft.fresh == 1
    assert draft.types == []
    assert f"There is a condition on {path} already." in answer.content.decode()
    assert not draft.problems


def test_removing_a_condition_leads_to_the_one_beside_it(someone: Client, town: Bus) -> None:
    values = form(town, path=["data.total", "id"], method=["is", "present"], values=["1", ""])
    for button, fresh in (("drop-row-0", 0), ("drop-row-1", 0)):
        draft = someone.post("/subscribe/", values | {"do": button}).context["draft"]
        assert (draft.fresh, draft.emptied) == (fresh, False)
    last = someone.post("/subscribe/", form(town, do="drop-row-0"))
    assert last.context["draft"].emptied
    assert 'value="add-row" autofocus' in last.content.decode()


def test_a_condition_on_the_type_beside_chosen_types_is_told_of_them(someone: Client, town: Bus) -> None:
    values = form(town, path=["type"], method=["prefix"], values=["order"], do="refresh")
    [problem] = someone.post("/subscribe/", values).context["draft"].problems
    assert problem.place == "row-0"
    assert problem.message.startswith("The event types above already say it.")


def test_groups_are_made_and_filled_by_buttons(someone: Client, town: Bus) -> None:
    draft = someone.post("/subscribe/", form(town, do="add-group", path=[], method=[], values=[])).context[
        "draft"
    ]
    assert [row.place for row in draft.rows] == ["0.0", "0.1"]
    values = form(
        town,
        place=["0.0", "0.1"],
        path=["data.total", "data.zip"],
        method=["is", "is"],
        values=["1", "2"],
    )
    for button, places in (
        ("add-alternative-0", ["0.0", "0.1", "0.2"]),
        ("add-also-0.0", ["0.0", "0.0", "0.1"]),
        ("drop-row-0", ["0.1"]),
        ("add-also-7.7", ["0.0", "0.1"]),
    ):
        draft = someone.post("/subscribe/", values | {"do": button}).context["draft"]
        assert [row.place for row in draft.rows] == places


def test_what_is_added_beside_a_group_stands_where_the_page_draws_it(someone: Client, town: Bus) -> None:
    values = form(
        town,
        place=["0.0", "0.1"],
        path=["data.total", "data.zip"],
        method=["is", "is"],
        values=["1", "2"],
    )
    pick = json.dumps({"path": "data.gift", "value": False})
    draft = someone.post("/subscribe/", values | {"pick": pick}).context["draft"]
    assert [row.path for row in draft.rows] == ["data.gift", "data.total", "data.zip"]
    assert draft.fresh == 0
    draft = someone.post("/subscribe/", values | {"do": "add-row"}).context["draft"]
    assert [row.path for row in draft.rows] == ["", "data.total", "data.zip"]
    assert draft.fresh == 0
    grouped = {"$or": [{"data": {"total": [1]}}, {"data": {"zip": ["2"]}}], "subject": ["o"]}
    to_rows = form(town, mode="json", pattern=json.dumps(grouped), do="mode-rows")
    draft = someone.post("/subscribe/", to_rows).context["draft"]
    assert [row.path for row in draft.rows] == ["subject", "data.total", "data.zip"]


@pytest.mark.parametrize(
    ("sent", "spec"),
    [
        (
            {"send": "partial", "part-name": [""], "part-path": ["$.data"]},
            {"kind": "partial", "path": "$.data"},
        ),
        (
            {
                "send": "partial",
                "part-name": ["n", "s"],
                "part-path": ["$.data.total", "$.subject"],
                "missing": "omit",
            },
            {"kind": "partial", "paths": {"n": "$.data.total", "s": "$.subject"}, "missing": "omit"},
        ),
        ({"send": "constant", "constant": '{"a": 1}'}, {"kind": "constant", "value": {"a": 1}}),
        ({"send": "constant", "constant": "hi", "constant-text": "on"}, {"kind": "constant", "text": "hi"}),
        (
            {"send": "template", "template": '{"n": "${n}"}', "variables": "n: $.data.total"},
            {"kind": "template", "template": '{"n": "${n}"}', "variables": {"n": "$.data.total"}},
        ),
    ],
)
def test_every_way_to_send_is_saved_and_shown_again(
    someone: Client, town: Bus, sent: dict[str, Any], spec: dict[str, Any]
) -> None:
    assert someone.post("/subscribe/", form(town, **sent)).status_code == 302
    target = Target.objects.get()
    assert target.transform == spec
    assert Sending.of(target.transform).spec() == spec
    assert someone.get(f"/targets/{target.pk}/edit/").context["draft"].transform == spec


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"send": "partial", "part-name": ["a", "a"], "part-path": ["$.id", "$.id"]}, "two parts called a"),
        ({"send": "partial", "part-name": ["", "b"], "part-path": ["$.id", "$.id"]}, "Give $.id a name"),
        ({"send": "partial", "part-name": [""], "part-path": [""]}, "Name a part"),
        ({"send": "partial", "part-name": ["a"], "part-path": ["id"]}, "starts with $"),
        ({"send": "constant", "constant": "{"}, "Line 1: This is not JSON"),
        ({"send": "template", "variables": "n $.id"}, "Line 1: Write a name"),
        ({"sql": "source LIKE"}, "Line 1"),
        ({"filters": '[{"exact": {"type": ""}}]'}, "/0/exact"),
        ({"filters": "{}"}, "list"),
        ({"start": "time", "start-time": "tomorrow"}, "Write a day and a time"),
        ({"start": "time", "start-time": "2999-01-01T00:00"}, "in the past"),
    ],
)
def test_what_is_wrong_in_the_rest_of_the_form_is_said_at_its_place(
    someone: Client, town: Bus, wrong: dict[str, Any], sentence: str
) -> None:
    answer = someone.post("/subscribe/", form(town, **wrong))
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.content.decode())
    assert not Rule.objects.exists()


def test_an_expression_and_filters_are_kept_with_the_rule_and_its_revisions(
    someone: Client, town: Bus
) -> None:
    values = form(town, sql="EXISTS subject", filters='[{"prefix": {"source": "/shop"}}]')
    assert someone.post("/subscribe/", values).status_code == 302
    rule = Rule.objects.get()
    kept = RuleRevision.objects.filter(rule_id=rule.pk).last()
    for one in (rule, kept):
        assert (one.sql, one.filters) == ("EXISTS subject", [{"prefix": {"source": "/shop"}}])
    page = someone.get(f"/rules/{rule.pk}/").content.decode()
    assert "EXISTS subject" in page
    draft = someone.get(f"/rules/{rule.pk}/edit/").context["draft"]
    assert (draft.sql, draft.filters) == (rule.sql, rule.filters)
    someone.post(f"/rules/{rule.pk}/duplicate/")
    assert Rule.objects.exclude(pk=rule.pk).get().sql == "EXISTS subject"


def test_a_targets_secret_is_never_shown_and_survives_an_edit(
    someone: Client, town: Bus, saved: Rule
) -> None:
    target = saved.targets.get()
    url = f"/targets/{target.pk}/edit/"
    assert "s3cret" not in someone.get(url).content.decode()
    values = {
        "send": "complete",
        "deliver": "connector:http",
        "config-http-url": "http://127.0.0.1:8999/other",
        "config-http-headers": "Authorization: ••••",
        "target-name": "Billing",
        "target-max_attempts": "3",
        # A pattern that is sent here does not change the rule.
        "mode": "json",
        "pattern": '{"type": ["other"]}',
        "do": "save",
    }
    assert someone.post(url, values).status_code == 302
    target.refresh_from_db()
    assert target.config["headers"] == {"Authorization": "Bearer s3cret"}
    assert (target.config["url"], target.max_attempts, target.revision) == (
        "http://127.0.0.1:8999/other",
        3,
        2,
    )
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"]}


def test_a_second_target_is_added_and_its_name_must_be_free(someone: Client, saved: Rule) -> None:
    url = f"/rules/{saved.pk}/targets/new/"
    values = {"send": "complete", "deliver": "place:bin", "target-name": "Billing", "do": "save"}
    answer = someone.post(url, values)
    assert answer.status_code == 422
    assert "has a target of this name already" in answer.content.decode()
    assert not RequestBin.objects.exists()
    assert someone.post(url, values | {"target-name": "Second"}).status_code == 302
    assert {target.name for target in saved.targets.all()} == {"Billing", "Second"}


def test_a_rule_is_switched_off_and_on(someone: Client, saved: Rule) -> None:
    for enabled in (False, True):
        someone.post(f"/rules/{saved.pk}/switch/", {"enabled": "1" if enabled else "0"})
        saved.refresh_from_db()
        assert saved.enabled is enabled
        assert RuleRevision.objects.order_by("pk").last().enabled is enabled
    assert someone.get(f"/rules/{saved.pk}/switch/").status_code == 405


def test_a_copy_is_switched_off_and_has_its_own_targets(someone: Client, saved: Rule) -> None:
    someone.post(f"/rules/{saved.pk}/duplicate/")
    copy = Rule.objects.exclude(pk=saved.pk).get()
    assert (copy.name, copy.enabled, copy.pattern) == ("Copy of Large orders", False, saved.pattern)
    assert copy.targets.get().config == saved.targets.get().config
    assert copy.targets.get().pk != saved.targets.get().pk
    assert TargetRevision.objects.filter(target_id=copy.targets.get().pk).count() == 1


def test_lists_and_pages_show_what_a_rule_does(someone: Client, saved: Rule) -> None:
    page = someone.get("/rules/").content.decode()
    assert "Large orders" in page
    assert "Billing" in page
    assert "No rule has" in someone.get("/rules/?q=zzz").content.decode()
    assert "POST http://127.0.0.1:8999/hook" in someone.get(f"/rules/{saved.pk}/").content.decode()
    assert "order.placed" in someone.get("/rules/types/?add_type=order").content.decode()


def test_many_rules_cost_a_bounded_number_of_queries(
    someone: Client, town: Bus, saved: Rule, django_assert_max_num_queries: Any
) -> None:
    team = Team.objects.get()
    Rule.objects.bulk_create(
        Rule(name=f"rule {number}", bus=town, team=team, pattern={"type": ["order.placed"]})
        for number in range(300)
    )
    with django_assert_max_num_queries(20):
        page = someone.get("/rules/").content.decode()
    assert page.count("<tr>") == 51


def test_without_a_bus_the_page_says_what_to_do(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    assert "There is no bus yet." in client.get("/subscribe/").content.decode()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/subscribe/"),
        ("get", "/rules/{rule}/edit/"),
        ("post", "/rules/{rule}/switch/"),
        ("post", "/rules/{rule}/duplicate/"),
        ("post", "/rules/{rule}/history/1/roll-back/"),
        ("post", "/targets/{target}/history/1/roll-back/"),
        ("post", "/rules/trial/"),
        ("get", "/rules/{rule}/delete/"),
        ("get", "/targets/{target}/edit/"),
        ("post", "/targets/{target}/pause/"),
        ("post", "/dead-letters/redrive/"),
    ],
)
def test_who_may_only_look_changes_nothing(client: Client, saved: Rule, method: str, path: str) -> None:
    person = get_user_model().objects.create_user("reader")
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(person)
    url = path.format(rule=saved.pk, target=saved.targets.get().pk)
    assert getattr(client, method)(url).status_code == 403
    assert client.get(f"/rules/{saved.pk}/").status_code == 200
