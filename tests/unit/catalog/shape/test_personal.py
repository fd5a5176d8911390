"""What looks personal is found by its name or its format, and nothing but counts is left of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from catalog.schemas.shape import Shape, guarded, propose, suspects
from catalog.schemas.shape.paths import pointer_of_path, sensitive_path, sensitive_pointer
from catalog.schemas.shape.personal import looks_personal


def shape_of(*events) -> Shape:
    shape = Shape()
    for event in events:
        shape.add(event)
    return shape


@pytest.mark.parametrize(
    "path",
    [
        "email", "e_mail", "customerEMail", "contact.phone", "phoneNumber", "mobile", "first_name", "firstName", "surname",
        "name", "customer.name", "billing.name", "user_name", "username", "shipping_address", "street", "zip", "zipCode",
        "postal_code", "ip", "ipAddress", "remote_addr", "birth_date", "dateOfBirth", "dob", "iban", "taxId", "password",
        "employees[].name", "emails", "ips", "gender", "licensePlate", "display-name",
    ],
)  # fmt: skip
def test_these_names_look_personal(path: str) -> None:
    assert looks_personal(tuple(path.replace("[]", ".[]").split(".")))


@pytest.mark.parametrize(
    "path",
    [
        "product.name", "lines[].name", "event_name", "filename", "hostname", "plan_name", "order_id", "total.amount",
        "shipping.method", "zipper", "recipe", "city", "country", "email_verified_at", "phone_type", "email_id",
        "mac_address", "membership", "stripe", "scripts", "repository.name", "ip_count", "named",
    ],
)  # fmt: skip
def test_these_do_not(path: str) -> None:
    assert not looks_personal(tuple(path.replace("[]", ".[]").split(".")))


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"to": "ada@example.com"}, {"to": "e-mail addresses"}),
        ({"seen_from": "192.0.2.7"}, {"seen_from": "IP addresses"}),
        ({"peers": ["2001:db8::1"]}, {"peers[]": "IP addresses"}),
        ({"email": {"sent": True}}, {}),
        ({"email": True, "phone": None}, {}),
        ({"phones": ["1", "2"], "phone": [1]}, {"phones": "its name", "phone": "its name"}),
        ({"address": {"city": "Ulm", "lines": ["a"]}}, {"address": "its name"}),
        ({"customer": {"name": "Ada", "id": 1}}, {"customer.name": "its name"}),
        ({"lines": [{"contact": {"email": "x"}}]}, {"lines[].contact.email": "its name"}),
        ({"by_id": {"1001": {"email": "x"}, "1002": {"email": "y"}}}, {"by_id": "what is in it"}),
    ],
)
def test_what_is_personal_in_an_event_is_found_with_the_reason(event, found) -> None:
    assert {sensitive_path(one.path): one.why for one in suspects(shape_of(event))} == found


def test_one_address_among_many_texts_does_not_make_a_field_personal() -> None:
    events = [{"note": f"word {number}"} for number in range(99)]
    assert suspects(shape_of({"note": "ada@example.com"}, *events)) == ()
    assert suspects(shape_of(*[{"note": "ada@example.com"}] * 9, *events))


words = some.text(alphabet="bcdfghjk", min_size=8, max_size=12).map(lambda text: f"ada{text}")


@given(some.lists(words, min_size=1, max_size=5), some.integers(1, 30))
def test_no_value_of_what_looks_personal_is_in_the_guarded_shape_or_its_proposal(names, times) -> None:
    events = [
        {
            "type": "a",
            "customer": {"name": name, "phone": name},
            "address": {"kind": name},
            "rows": [{"surname": name}],
        }
        for name in names * times
    ]
    whole = shape_of(*events)
    guard, found = guarded(whole)
    assert {sensitive_path(one.path) for one in found} == {
        "customer.name", "customer.phone", "address", "rows[].surname"
    }  # fmt: skip
    proposal = propose(guard)
    told = guard.to_json() + proposal.text + json.dumps([note.sentence for note in proposal.notes])
    assert not [name for name in names if name in told]
    assert guard.samples == whole.samples == len(events)


parts = some.one_of(some.just("[]"), some.just("{}"), some.text(alphabet="ab./~", min_size=1, max_size=4))


@given(some.lists(parts, min_size=1, max_size=4).map(tuple))
def test_a_path_is_told_so_that_it_is_read_as_the_same(path) -> None:
    assert sensitive_pointer(sensitive_path(path)) == pointer_of_path(path)
