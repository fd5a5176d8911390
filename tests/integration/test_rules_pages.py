"""The pages of rules through Django: the editor both ways, what saving does, what is refused and where it says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from catalog.models import Bus, Domain, EventType, SchemaVersion, Source, Team
from delivery.models import RequestBin
from rules.models import Rule, RuleRevision, Target, TargetRevision
from rules.revisions import subscribe

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
        "do": "save",
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
    assert answer.context["draft"].rows == [("data.total", "is", "12, 13")]


@pytest.mark.parametrize(
    "asked",
    ['{"data": {"zip": ["a", {"prefix": "b"}]}}', '{"data": {"zip": [12]}, "type": ["order.placed"]}'],
)
def test_what_conditions_cannot_say_stays_json(someone: Client, town: Bus, asked: str) -> None:
    answer = someone.post("/subscribe/", form(town, mode="json", pattern=asked, do="mode-rows"))
    assert answer.context["draft"].mode == "json"
    assert "It stays JSON." in answer.content.decode()


def test_editing_a_rule_makes_a_revision(someone: Client, town: Bus, saved: Rule) -> None:
    page = someone.get(f"/rules/{saved.pk}/edit/").content.decode()
    assert 'value="Large orders"' in page
    values = form(town, name="Large orders", path=["data.zip"], values=["12345"])
    assert someone.post(f"/rules/{saved.pk}/edit/", values).status_code == 302
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"], "data": {"zip": ["12345"]}}
    newest = RuleRevision.objects.filter(rule_id=saved.pk).order_by("pk").last()
    assert newest.pattern == saved.pattern
    assert newest.by.get_username() == "mara"
    assert newest.target_ids == [saved.targets.get().pk]


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
        "config-http-headers": "",
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
