"""Registering an event type, giving it a new version, editing what it says."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from catalog.models import Domain, EventType, Team
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, registration, text_of

pytestmark = pytest.mark.django_db


def test_registering_puts_a_type_with_version_1_on_the_shelf(client, person, town, log):
    assert client.post("/events/new/", registration(town)).url == "/events/order.cancelled/"
    made = EventType.objects.get(name="order.cancelled")
    assert (made.latest.number, made.latest.schema, made.created_by) == (1, SCHEMA, person)
    assert [source.name for source in made.sources.all()] == ["Shop"]


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
    ({"name": "order placed"}, "name", "letters, digits"),
    ({"name": "a/publish"}, "name", "address of the console"),
    ({"name": "new"}, "name", "address of the console"),
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
    ({"validation": "perhaps"}, "validation", "valid choice"),
]


@pytest.mark.parametrize(("changes", "field", "words"), WRONG)
def test_what_is_wrong_is_told_at_its_field_and_changes_nothing(
    client, person, town, log, changes, field, words
):
    response = client.post("/events/new/", registration(town, **changes))
    assert response.status_code == 200
    assert words in str(response.context["form"].errors[field])
    html = response.content.decode()
    assert f'id="id_{field}_error"' in html
    assert 'aria-invalid="true"' in html or field == "validation"
    assert EventType.objects.count() == Domain.objects.count() == Team.objects.count() == 1


def test_a_mistake_in_a_schema_is_underlined_at_its_line(client, person, town, log):
    html = client.post("/events/new/", registration(town, schema='{\n "type": "objekt"\n}')).content.decode()
    assert "data-problems" in html
    assert "&quot;line&quot;: 2" in html


def test_the_name_is_checked_while_it_is_typed(client, person, town, log):
    assert "This name is free" in text_of(client.get("/events/new/check/?name=order.sent"))
    assert "taken" in text_of(client.get("/events/new/check/?name=order.placed"))
    assert client.get("/events/new/check/?name=").content.strip() == b""


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
