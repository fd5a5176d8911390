"""Registering an event type, giving it a new version, editing what it says."""

from __future__ import annotations

import json
import re

import pytest
from django.core.exceptions import ValidationError

from catalog.models import Domain, EventType, Team
from catalog.wanted import ask
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, more, registration, text_of

pytestmark = pytest.mark.django_db


def test_registering_puts_a_type_with_version_1_on_the_shelf(client, person, town, log):
    assert client.post("/events/new/", registration(town)).url == "/events/order.cancelled/"
    made = EventType.objects.get(name="order.cancelled")
    assert (made.latest.number, made.latest.schema, made.created_by) == (1, SCHEMA, person)
    assert [source.name for source in made.sources.all()] == ["Shop"]


def test_a_type_keeps_all_that_its_form_says(client, person, town, log):
    filled = registration(
        town,
        tags="billing, EU ,billing",
        docs="# What for\n\n**Money** was asked for.",
        examples=['{"order_id": "order-2"}', " "],
        examples_name=["the short one", ""],
        personal=["total.amount"],
        compatibility="full_transitive",
        policy="strict",
        accept_cautions="on",
        origin="openapi",
    )
    client.post("/events/new/", filled)
    made = EventType.objects.get(name="order.cancelled")
    assert (made.tags, made.personal) == (["billing", "EU"], ["total.amount"])
    assert (made.compatibility, made.policy, made.accept_cautions) == ("full_transitive", "strict", True)
    version = made.latest
    assert version.examples == [{"name": "the short one", "data": '{"order_id": "order-2"}'}]
    assert (version.example, version.origin, version.verdict) == (EXAMPLE, "openapi", {})


def test_a_new_domain_and_a_new_team_are_made_on_the_spot(client, person, town, log):
    response = client.post(
        "/events/new/",
        registration(town, new_domain="City traffic", new_team="City data", domain="", team=""),
    )
    assert response.status_code == 302
    made = EventType.objects.get(name="order.cancelled")
    assert (made.domain.name, made.domain.badge, made.domain.hue, made.domain.team) == (
        "City traffic",
        "CT",
        1,
        made.team,
    )
    assert list(made.team.members.all()) == [person]


WRONG = [
    ({"name": "order.placed"}, "name", "taken"),
    ({"name": "Order.Placed"}, "name", "taken"),
    ({"name": "order  placed"}, "name", "letters, digits"),
    ({"name": "a/publish"}, "name", "address of the console"),
    ({"name": "new"}, "name", "address of the console"),
    ({"name": "new/paste"}, "name", "address of the console"),
    ({"name": "a/versions/new/check"}, "name", "address of the console"),
    ({"name": "a//b"}, "name", "address of the console"),
    ({"name": ""}, "name", "required"),
    ({"summary": ""}, "summary", "required"),
    ({"domain": ""}, "domain", "Choose a domain"),
    ({"team": ""}, "team", "Choose a team"),
    ({"new_domain": "orders", "domain": ""}, "new_domain", "Choose it in the list"),
    ({"schema": '{\n "a": 1,\n}'}, "schema", "Line 3"),
    ({"schema": '{"type": "objekt"}'}, "schema", "Line 1: /type"),
    ({"schema": '{"$ref": "http://example.com/"}'}, "schema", "nothing is fetched"),
    ({"schema": '{"$schema": "http://example.com/"}'}, "schema", "not supported"),
    ({"example": '{\n "order_id": 5\n}'}, "example", "Line 2: /order_id: Must be string"),
    ({"example": "{"}, "example", "Line 1"),
    ({"example": ""}, "example", "Write an example"),
    (
        {"examples": ['{"order_id": "order-2"}', '{\n"order_id": 5}']},
        "examples",
        "Example 3: Line 2: /order_id",
    ),
    ({"tags": "x" * 41}, "tags", "too long for a tag"),
    ({"tags": ",".join(f"t{n}" for n in range(21))}, "tags", "At most 20"),
    ({"personal": ["x" * 256]}, "personal", "At most 500"),
    ({"validation": "perhaps"}, "validation", "valid choice"),
    ({"compatibility": "perhaps"}, "compatibility", "valid choice"),
    ({"policy": "perhaps"}, "policy", "valid choice"),
]


@pytest.mark.parametrize(("changes", "field", "words"), WRONG)
def test_what_is_wrong_is_told_at_its_field_and_changes_nothing(
    client, person, town, log, changes, field, words
):
    response = client.post("/events/new/", registration(town, **changes))
    assert response.status_code == 200
    assert words in str(response.context["form"].errors[field])
    html = response.content.decode()
    if field not in ("examples", "personal"):
        assert f'id="id_{field}_error"' in html
        assert 'aria-invalid="true"' in html or field in ("validation", "compatibility", "policy")
    assert words.removeprefix("Example 3: ") in html
    assert EventType.objects.count() == Domain.objects.count() == Team.objects.count() == 1


def test_a_mistake_in_a_schema_is_underlined_at_its_line(client, person, town, log):
    html = client.post("/events/new/", registration(town, schema='{\n "type": "objekt"\n}')).content.decode()
    assert "data-problems" in html
    assert "&quot;line&quot;: 2" in html


def test_the_name_is_checked_while_it_is_typed(client, person, town, log):
    assert "This name is free" in text_of(client.get("/events/new/check/?name=order.sent"))
    assert "taken" in text_of(client.get("/events/new/check/?name=order.placed"))
    assert client.get("/events/new/check/?name=").content.strip() == b""


def test_the_name_check_says_who_asked_for_it(client, person, town, log, colleague):
    ask("order.lost", "To call people.", person)
    ask("order.lost", "Me too.", colleague)
    assert "2 people asked for it" in text_of(client.get("/events/new/check/?name=Order.Lost"))
    assert "asked for it" not in text_of(client.get("/events/new/check/?name=order.found"))


def test_a_new_version_gets_the_next_number_and_leaves_the_old_as_it_was(client, person, town, log):
    changed = SCHEMA.replace("own", "very own")
    url = "/events/order.placed/versions/new/"
    assert "unchanged" in text_of(client.post(url, {"schema": SCHEMA, "example": EXAMPLE}))
    assert client.post(url, {"schema": changed, "example": EXAMPLE, "notes": "clearer"}).status_code == 302
    assert [(one.number, one.schema) for one in town.versions.order_by("number")] == [
        (1, SCHEMA),
        (2, changed),
    ]
    first = town.versions.get(number=1)
    first.schema = "{}"
    with pytest.raises(ValidationError, match="never changes"):
        first.save()


def test_editing_a_type_changes_what_it_says_and_not_its_name(client, person, town, log):
    sent = registration(town, name="other", summary="Changed.", validation="warn", sources=[])
    assert client.post("/events/order.placed/edit/", sent).status_code == 302
    town.refresh_from_db()
    assert (town.name, town.summary, town.validation) == ("order.placed", "Changed.", "warn")
    assert not town.sources.exists()


def test_only_its_team_changes_what_a_type_promises_and_who_owns_it(client, person, town, log, colleague):
    client.force_login(colleague)
    sent = registration(town, summary="Changed.", compatibility="none", validation="off", new_team="Mine")
    assert "Only the team Checkout" in text_of(client.get("/events/order.placed/edit/"))
    client.post("/events/order.placed/edit/", sent)
    town.refresh_from_db()
    assert (town.summary, town.compatibility, town.validation) == ("Changed.", "forward", "reject")
    assert town.team.name == "Checkout"
    town.team.members.add(colleague)
    client.post("/events/order.placed/edit/", sent | {"new_team": ""})
    town.refresh_from_db()
    assert (town.compatibility, town.validation) == ("none", "off")


def test_documentation_is_previewed_as_its_page_shows_it(client, person, town, log):
    html = client.post(
        "/events/new/docs/", {"docs": "# Why\n\n<b>no</b> [x](javascript:alert(1))"}
    ).content.decode()
    assert "<h3>Why</h3>" in html
    assert "&lt;b&gt;" in html
    assert "href" not in html
    assert client.post("/events/new/docs/", {"docs": ""}).content.strip() == b""


def test_tags_in_use_complete_the_last_one_of_the_list(client, person, town, log):
    more(town, "a.one", "a.two", tags=["billing", "EU"])
    more(town, "a.three", tags=["nightly billing"])

    def options(typed):
        return re.findall(
            r'value="([^"]*)"', client.get("/events/new/tags/", {"tags": typed}).content.decode()
        )

    assert options("bill") == ["billing", "nightly billing"]
    assert options("EU, bil") == ["EU, billing", "EU, nightly billing"]
    assert options("billing, eu,") == ["billing, eu, nightly billing"]


def test_the_schema_and_its_examples_are_checked_while_they_are_written(client, person, town, log):
    def said(**changes):
        return client.post("/events/new/schema/", registration(town, **changes)).content.decode()

    good = said()
    assert "A good schema, JSON Schema draft 2020-12" in good
    assert "the examples fit" in good
    assert "draft 2020-12 is assumed" in good
    assert "$schema" not in said(
        schema=SCHEMA.replace("{", '{"$schema": "http://json-schema.org/draft-07/schema#",', 1)
    )
    wrong = said(schema='{\n "type": "objekt"\n}')
    assert "Line 2: /type" in wrong
    assert "&quot;line&quot;: 2" in wrong
    assert "A good schema" not in wrong
    assert "Line 1: /order_id" in said(example='{"order_id": 5}')


def test_every_field_of_the_schema_can_be_marked_as_personal_and_marks_stay(client, person, town, log):
    schema = json.dumps(
        {"properties": {"lines": {"items": {"properties": {"name": {"type": "string"}}}}, "a": {}}}
    )
    html = client.post(
        "/events/new/schema/",
        registration(town, schema=schema, example="{}", personal=["lines[].name", "gone"]),
    ).content.decode()
    assert re.findall(r'name="personal" value="([^"]+)"( checked)?', html) == [
        ("lines", ""),
        ("lines[].name", " checked"),
        ("a", ""),
        ("gone", " checked"),
    ]
    broken = client.post(
        "/events/new/schema/", registration(town, schema="{", personal=["gone"])
    ).content.decode()
    assert 'type="hidden" name="personal" value="gone"' in broken


def test_another_example_gets_the_next_number_with_and_without_script(client, person, town, log):
    row = client.post("/events/new/example/", registration(town, examples=["{}"])).content.decode()
    assert "Example 3" in row
    page = client.post("/events/new/", registration(town, examples=['{"a": 1}'], action="another"))
    assert [(one.number, one.name) for one in page.context["form"].example_rows()] == [(2, ""), (3, "")]
    assert page.context["form"]["summary"].value() == "An order was withdrawn."
    full = client.post("/events/new/example/", registration(town, examples=["{}"] * 20)).content.decode()
    assert "are enough" in full
