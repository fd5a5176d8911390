"""The buttons of the editor: types, conditions, groups, JSON and back, values pressed in an event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Bus
from rules.conditions import Row
from rules.models import Rule
from tests.integration.rule_pages.editor_form import form

pytestmark = pytest.mark.django_db


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
