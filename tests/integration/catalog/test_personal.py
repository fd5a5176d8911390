"""Personal fields of real events: who may see them, and how they are hidden."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.models import Approval, Team
from catalog.personal import MASK, counts_as_personal, hidden_from, hide, hide_data, may_see

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "data": {
        "customer": {"email": "lin@example.org", "country": "SE"},
        "lines": [{"name": "Lin", "sku": "1"}, {"name": "Ada", "sku": "2"}],
        "notes": {"a": {"by": "Lin"}},
    },
}


def hidden(data: object, *paths: str) -> object:
    return json.loads(hide(json.dumps({"data": data}), paths).text)["data"]


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("customer.email", 1),
        ("/customer/email", 1),
        ("customer", 1),
        ("lines[].name", 2),
        ("/lines/[]/name", 2),
        ("lines", 1),
        ("notes.{}.by", 1),
        ("Customer.E-Mail", 1),
        ("", 1),
        ("nothing.like.it", 0),
    ],
)
def test_what_a_path_names_is_hidden_and_nothing_else(path, count):
    found = hide(json.dumps(EVENT), [path])
    assert found.fields == count
    assert found.text.count(MASK) == count
    if path.startswith("lines[]"):
        assert json.loads(found.text)["data"]["lines"] == [
            {"name": MASK, "sku": "1"},
            {"name": MASK, "sku": "2"},
        ]


@pytest.mark.parametrize(
    "event",
    [
        '{"data": "lin@example.org"}',
        '{"data": "{\\"customer\\": \\"lin@example.org\\"}"}',
        '{"data_base64": "bGluQGV4YW1wbGUub3Jn lin@example.org"}',
        '{"data": {"customer": "lin@example.org", "customer": "lin@example.org"}}',
        '{"data": {"CUSTOMER": "lin@example.org"}}',
        '{"data": [{"customer": "lin@example.org"}]',
        "no JSON, lin@example.org",
        "[" * 5000 + "lin@example.org",
    ],
)
def test_what_cannot_be_told_apart_is_hidden_as_a_whole(event):
    assert "lin@example.org" not in hide(event.encode(), ["customer"]).text


def test_numbers_and_the_order_of_members_stay_as_written():
    written = '{"z": 1.50, "data": {"b": 12345678901234567890, "a": 1e2, "who": "Lin"}}'
    expected = '{"z": 1.50, "data": {"b": 12345678901234567890, "a": 1e2, "who": "••••"}}'
    assert hide(written, ["who"]).text == expected
    assert hide(written, []).text == written
    assert hide_data('{"who": "Lin", "n": 1.0}', ["who"]) == '{"who": "••••", "n": 1.0}'
    assert "Lin" not in hide_data('{"who": "Lin"', ["who"])


leaves = st.sampled_from([None, True, 1, "x"])
members = st.sampled_from("abc")


def around(inner):
    """`inner`, a list of it or an object of it."""
    return inner | st.lists(inner, max_size=2) | st.dictionaries(members, inner, max_size=2)


values = around(around(around(leaves)))


@settings(max_examples=60)
@given(values, st.lists(st.lists(st.sampled_from(["a", "b", "c", "[]"]), min_size=1, max_size=4), max_size=3))
def test_a_value_is_hidden_exactly_where_its_path_is_personal(value, paths):
    """Compared with asking for each place alone whether it is personal."""
    written = ["/" + "/".join(path) for path in paths]

    def naive(at: object, path: tuple[str, ...]) -> object:
        if counts_as_personal(path, written):
            return MASK
        if isinstance(at, dict):
            return {name: naive(one, (*path, name)) for name, one in at.items()}
        return [naive(one, (*path, "[]")) for one in at] if isinstance(at, list) else at

    data = {"a": value}
    assert hidden(data, *written) == naive(data, ())


@pytest.mark.django_db
def test_the_owners_staff_and_approved_teams_may_see_personal_data_and_nobody_else(
    town, django_assert_max_num_queries
):
    town.personal = ["order_id"]
    town.save()
    model = get_user_model()
    other = Team.objects.create(name="Growth", slug="growth")
    staff = model.objects.create_user("staff", is_staff=True)
    owner, stranger, colleague = (
        model.objects.create_user(name) for name in ("owner", "stranger", "colleague")
    )
    town.team.members.add(owner)
    other.members.add(colleague)
    assert [may_see(user, town) for user in (staff, owner, stranger, colleague)] == [True, True, False, False]
    asked = Approval.objects.create(event_type=town, team=other, reason="Offers")
    assert not may_see(colleague, town)
    asked.state = Approval.State.GRANTED
    asked.save()
    assert may_see(colleague, town)
    assert not may_see(stranger, town)
    with django_assert_max_num_queries(3):
        assert hidden_from(stranger, ["order.placed", "unknown.type"]) == {"order.placed": ("order_id",)}


@pytest.mark.django_db
def test_a_type_without_personal_fields_hides_nothing(town):
    assert may_see(get_user_model().objects.create_user("anybody"), town)
