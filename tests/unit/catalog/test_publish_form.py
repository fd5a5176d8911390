"""Forms made from schemas, and back."""

import json

import pytest

from catalog.forms.publish import PublishForm
from catalog.models import Bus, Domain, EventType, Source, Team
from catalog.schemas.fields import fields_of

pytestmark = pytest.mark.django_db

SCHEMA = {
    "type": "object",
    "required": ["id", "total", "lines"],
    "properties": {
        "id": {"type": "string"},
        "total": {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        "count": {"type": "integer"},
        "gift": {"type": "boolean"},
        "channel": {"enum": ["app", 5, None]},
        "note": {"type": "string"},
        "from": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
EXAMPLE = {
    "id": "order-1",
    "total": {"amount": 12.5},
    "lines": [{"sku": "40017"}],
    "count": 12345678901234567890,
    "gift": False,
    "channel": None,
}


@pytest.fixture
def event_type():
    team = Team.objects.create(name="Checkout", slug="checkout")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR")
    found = EventType.objects.create(name="order.placed", summary="…", domain=domain, team=team)
    bus = Bus.objects.create(name="main")
    found.sources.add(Source.objects.create(name="Shop", slug="shop", uri="/shop", bus=bus, team=team))
    return found


def filled(event_type, changes=None, fields=None):
    tree = fields_of(SCHEMA) if fields is None else fields
    form = PublishForm(event_type=event_type, fields=tree, example=EXAMPLE)
    data = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
    data |= {"source": "/shop"}
    data |= {form.inputs.get(pointer, pointer): text for pointer, text in (changes or {}).items()}
    return PublishForm(data, event_type=event_type, fields=tree, example=EXAMPLE)


def test_a_form_sent_unchanged_gives_the_example_back(event_type):
    form = filled(event_type)
    assert form.is_valid(), form.errors
    assert form.value == EXAMPLE


def test_an_empty_optional_field_is_left_out_and_an_empty_required_text_is_sent(event_type):
    form = filled(event_type, {"/id": "", "/count": "", "/gift": "", "/channel": ""})
    assert form.is_valid()
    assert form.value == {"id": "", "total": {"amount": 12.5}, "lines": [{"sku": "40017"}]}


def test_nested_objects_are_made_of_their_own_inputs(event_type):
    form = filled(event_type, {"/from/city": "Malmö", "/channel": "1", "/gift": "true"})
    assert form.is_valid()
    assert form.value["from"] == {"city": "Malmö"}
    assert form.value["channel"] == 5
    assert form.value["gift"] is True


@pytest.mark.parametrize(
    ("pointer", "text", "words"),
    [
        ("/total/amount", "a lot", "no number"),
        ("/count", "1,5", "no number"),
        ("/total/amount", "NaN", "no number"),
        ("/lines", "[1\n2]", "Line 2"),
    ],
)
def test_what_cannot_be_written_as_json_is_told_at_its_input(event_type, pointer, text, words):
    form = filled(event_type, {pointer: text})
    assert not form.is_valid()
    assert words in str(form.errors[form.inputs[pointer]])


def test_a_refusal_of_the_ingest_stands_at_the_input_it_is_about(event_type):
    form = filled(event_type)
    form.is_valid()
    form.refuse("Must be at least 20, is 12.5.", "/data/total/amount")
    form.refuse("No such bus.", None)
    assert "at least 20" in str(form.errors[form.inputs["/total/amount"]])
    assert "No such bus." in str(form.non_field_errors())


def test_as_json_the_whole_data_is_one_text(event_type):
    form = filled(event_type, {"whole": "[1, 2]"}, fields=())
    assert form.is_valid()
    assert form.value == [1, 2]
    assert (
        json.loads(PublishForm(event_type=event_type, fields=(), example=EXAMPLE)["whole"].value()) == EXAMPLE
    )
