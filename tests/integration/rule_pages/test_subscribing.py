"""Subscribing: a rule with its first target, a draft, and what is refused where it says so."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from catalog.models import Bus
from delivery.models import RequestBin
from rules.models import Rule, RuleRevision, Target, TargetRevision
from rules.pages import history
from rules.sending import Sending
from tests.integration.rule_pages.editor_form import form

pytestmark = pytest.mark.django_db


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
    assert (target.order, target.max_attempts) == ("none", 200)


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


def test_without_a_bus_the_page_says_what_to_do(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    assert "There is no bus yet." in client.get("/subscribe/").content.decode()
