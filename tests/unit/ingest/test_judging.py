"""The decision table: what the type asks, what the event names and holds, what state all of them are in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from catalog.near_names import Names
from delivery.cloudevents import CloudEvent, decode_structured
from delivery.ingest.dataschema import addressed, named
from delivery.ingest.judging import Verdict, judge
from delivery.ingest.registered import Check, Farewell, TypeFacts, VersionFacts
from delivery.ingest.snapshot import BusFacts, Snapshot
from delivery.log.entry import Versions
from rules.engine import Event

SINCE = datetime(2026, 11, 3, 8, tzinfo=UTC)
CITY = BusFacts(1, "city", False)
HOST = "https://events.example.org/schemas"
# Each version asks for another field, so that data tells which one it was checked against.
FIELDS = {1: "one", 2: "two", 3: "three", 4: "four"}


def version(number: int, lifecycle: str = "active") -> VersionFacts:
    schema = {"required": [FIELDS[number]], "properties": {FIELDS[number]: {"type": "number"}}}
    check = None if lifecycle == "retired" else Check(json.dumps(schema))
    return VersionFacts(100 + number, number, lifecycle, check)


def kind(
    name: str = "order.placed",
    validation: str = "reject",
    *,
    lifecycle: str = "active",
    versions: tuple[VersionFacts, ...] = (version(1), version(2), version(3)),
    default: int | None = 3,
    **fields: Any,
) -> TypeFacts:
    by_number = {one.number: one for one in versions}
    if lifecycle in ("deprecated", "retired"):
        fields["farewell"] = Farewell(
            SINCE, fields.pop("ends_on", None), fields.pop("successor", ""), 0, fields.pop("words", "")
        )
    return TypeFacts(name, validation, lifecycle, by_number, by_number.get(default or 0), **fields)


def event(data: Any = None, **attributes: Any) -> CloudEvent:
    whole = {
        "specversion": "1.0",
        "id": "1",
        "source": "/shop",
        "type": "order.placed",
        "data": data,
    } | attributes
    return decode_structured(json.dumps(whole).encode())


def verdict(found: CloudEvent, *types: TypeFacts, bus: BusFacts = CITY) -> Verdict:
    snapshot = Snapshot(Versions(1, 1), {"city": bus}, {}, {one.name: one for one in types}, {})
    return judge(found, Event(found.attributes, found.data, found.data_is_json), bus, snapshot)


def told(one: Verdict) -> str:
    assert one.fault is not None
    return one.fault.reason


# What the event names → the version that counts, or None when it names wrongly.
NAMES = {
    "nothing": (None, 3),
    "version 1": (f"{HOST}/order.placed/1", 1),
    "with a slash": (f"{HOST}/order.placed/2/", 2),
    "http, another host and a prefix": ("http://10.0.0.1:8000/signalbox/schemas/order.placed/2", 2),
    "a query and a fragment": (f"{HOST}/order.placed/1?as=json#/properties", 1),
    "percent-encoded": (f"{HOST}/order%2Eplaced/1", 1),
    "a foreign address": ("https://example.org/order.json", 3),
    "a foreign address like ours": (f"{HOST}/nobody.knows/1", 3),
    "a urn": ("urn:example:order:1", 3),
    "no number": (f"{HOST}/order.placed", 3),
    "a number like a date": (f"{HOST}/order.placed/2026-01", 3),
    "a draft": (f"{HOST}/order.placed/4", 4),
    "an unknown version": (f"{HOST}/order.placed/7", None),
    "version 0": (f"{HOST}/order.placed/0", None),
    "another type's version": (f"{HOST}/order.paid/1", None),
    "a retired version": (f"{HOST}/order.retired-version/1", None),
}
STATES = (version(1), version(2), version(3), version(4, "draft"))


@pytest.mark.parametrize("mode", ["off", "warn", "reject"])
@pytest.mark.parametrize("fits", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_modes_and_of_what_an_event_names(mode: str, fits: bool, name: str) -> None:
    address, number = NAMES[name]
    types = [kind(validation=mode, versions=STATES), kind("order.paid", versions=(version(1),), default=1)]
    called = "order.placed"
    if name == "a retired version":
        called = "order.retired-version"
        types.append(kind(called, mode, versions=(version(1, "retired"), version(2)), default=2))
    data = {FIELDS[number or 1]: 1 if fits else "text"}
    attributes = {} if address is None else {"dataschema": address}
    found = verdict(event(data, type=called, **attributes), *types)
    right = number is not None
    if mode == "off":
        assert (found.valid, found.fault, found.taken) == (None, None, True)
    elif right and fits:
        assert (found.valid, found.fault, found.taken) == (1, None, True)
    else:
        assert (found.valid, found.taken) == (0, mode == "warn")
        assert found.fault is not None
        assert found.fault.attribute == ("data" if right else "dataschema")
        assert found.fault.version == (number if right else 1 if name == "a retired version" else 0)
    # Which version it was is known also when nothing is checked, and of a retired one.
    stored = 100 + number if right else 101 if name == "a retired version" else None
    assert found.schema_version == stored


@pytest.mark.parametrize(
    ("versions", "default", "number", "sentence"),
    [
        ((1, 2, 3), 3, 7, "This event names version 7 of order.placed; there are 1, 2 and 3."),
        ((1,), 1, 2, "This event names version 2 of order.placed; there is 1 only."),
        (
            (),
            None,
            1,
            "This event names version 1 of order.placed; there is none to name yet. Leave dataschema out.",
        ),
    ],
)
def test_an_unknown_version_is_answered_with_those_that_exist(
    versions: tuple[int, ...], default: int | None, number: int, sentence: str
) -> None:
    types = kind(versions=tuple(map(version, versions)), default=default)
    assert told(verdict(event(dataschema=f"{HOST}/order.placed/{number}"), types)) == sentence


def test_of_many_versions_the_newest_are_named() -> None:
    many = {number: VersionFacts(number, number, "active", Check("{}")) for number in range(1, 41)}
    types = kind()._replace(versions=many, default=many[40])
    assert told(verdict(event(dataschema=f"{HOST}/order.placed/99"), types)).endswith(
        "; the newest are 31, 32, 33, 34, 35, 36, 37, 38, 39 and 40."
    )


def test_a_schema_that_may_no_longer_be_used_refuses_nobody(caplog: pytest.LogCaptureFixture) -> None:
    check = Check('{"$ref": "#"}')
    facts = kind(versions=(VersionFacts(101, 1, "active", check),), default=1)
    for _ in range(2):
        assert verdict(event({"any": "thing"}), facts) == Verdict(101)
    assert len([line for line in caplog.messages if "cannot be used" in line]) == 1


def test_a_retired_version_is_answered_with_the_one_to_use() -> None:
    types = kind(versions=(version(1, "retired"), version(2)), default=2)
    assert told(verdict(event(dataschema=f"{HOST}/order.placed/1"), types)) == (
        "This event names version 1 of order.placed, which is retired. Use version 2."
    )


def test_another_types_version_is_answered_with_both_names() -> None:
    reason = told(verdict(event(dataschema=f"{HOST}/order.paid/1"), kind(), kind("order.paid")))
    assert reason == (
        "The dataschema is version 1 of order.paid, but the event's type is order.placed. "
        "Name a version of order.placed, or leave dataschema out."
    )


@pytest.mark.parametrize("mode", ["off", "warn", "reject"])
def test_a_type_without_versions_takes_anything(mode: str) -> None:
    assert verdict(event([1]), kind(validation=mode, versions=(), default=None)) == Verdict()


@pytest.mark.parametrize("mode", ["off", "warn", "reject"])
@pytest.mark.parametrize("lifecycle", ["draft", "active", "deprecated"])
def test_events_are_taken_in_every_state_but_retired(mode: str, lifecycle: str) -> None:
    found = verdict(event({"three": 1}), kind(validation=mode, lifecycle=lifecycle))
    assert found.taken
    assert (found.notice is not None) == (lifecycle == "deprecated")


@pytest.mark.parametrize("mode", ["off", "warn", "reject"])
def test_a_retired_type_takes_nothing_whatever_it_checks(mode: str) -> None:
    types = kind(
        validation=mode,
        lifecycle="retired",
        ends_on=date(2026, 11, 1),
        successor="order.committed",
        words="It said too little.",
    )
    found = verdict(event({"three": 1}), types)
    assert not found.taken
    assert found.fault is not None
    assert found.fault.kind == "retired-type"
    assert told(found) == (
        "The event type order.placed is retired and takes no more events. Its last day was 2026-11-01. "
        "Send order.committed in its place. Its owner says: It said too little."
    )


def test_a_bus_takes_unregistered_types_unless_it_says_otherwise() -> None:
    strict = CITY._replace(takes_unregistered=False)
    found = event(type="order.plcaed")
    assert verdict(found, kind()) == Verdict()
    refused = verdict(found, kind(), kind("order.paid"), kind("parcel.lost"), bus=strict)
    assert not refused.taken
    assert told(refused) == (
        "There is no event type 'order.plcaed', and this bus takes registered types only. "
        "Did you mean order.placed? Correct the type, or register it in the console first: Events, Register."
    )
    assert verdict(event({"three": 1}), kind(), bus=strict).valid == 1
    # Of a type that is registered and has no schema yet, too.
    assert verdict(event([1]), kind(versions=(), default=None), bus=strict).taken


def test_an_unregistered_type_shows_no_data_because_nobody_said_what_is_personal() -> None:
    found = verdict(event({"email": "x"}), bus=CITY._replace(takes_unregistered=False))
    assert found.fault is not None
    assert found.fault.personal is None


def test_what_is_counted_holds_nothing_of_the_event() -> None:
    schema = json.dumps(
        {
            "properties": {
                "email": {"format": "email", "type": "string"},
                "lines": {"items": {"properties": {"n": {"enum": [1, 2]}}}},
                "age": {"maximum": 130},
            },
            "patternProperties": {"@": {"type": "number"}},
            "additionalProperties": False,
        }
    )
    facts = kind(versions=(VersionFacts(101, 1, "active", Check(schema)),), default=1)
    cases: dict[str, tuple[Any, str, str]] = {
        "format": ({"email": "secret"}, "/email", "Is no email."),
        "enum": ({"lines": [{}, {"n": 77}]}, "/lines/[]/n", "Must be one of 1, 2."),
        "type": ({"email": 31337}, "/email", "Must be string, is a number."),
        "maximum": ({"age": 999}, "/age", "Must be at most 130."),
        "a name like a value": ({"lin@example.org": "secret"}, "/{}", "Must be number, is text."),
        "unknown fields": ({"colour": 1, "gift": 2}, "", "“colour”, “gift” are not part of the schema."),
        "an unknown field like a value": ({"+46 70 1": 1}, "", "Has fields that are not part of the schema."),
    }
    for name, (data, place, cause) in cases.items():
        fault = verdict(event(data), facts).fault
        assert fault is not None, name
        assert (fault.place, fault.cause) == (place, cause), name
        assert fault.reason.endswith("It does not fit version 1 of order.placed."), name


# ── addresses ──


@pytest.mark.parametrize(
    "name", ["order.placed", "com/example:order", "a-b_c", "schemas/x", "a/schemas/b", "x/2"]
)
def test_the_address_of_a_version_is_read_back(name: str) -> None:
    for address in (addressed(name, 12), f"https://h:1/deep{addressed(name, 12)}/", f"/schemas/{name}/12"):
        found = named(address)
        assert found is not None
        assert name in found.types
        assert found.number == 12


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/",
        "/schemas",
        "/schemas/",
        "/schemas//1",
        "/schemas/a/",
        "/schemas/a/-1",
        "/schemas/a/1.5",
        "/schemas/a/٣",
        "/schemas/a/1234567890",
        "urn:schemas:a:1",
    ],
)
def test_what_is_no_address_of_ours_names_nothing(address: str) -> None:
    assert named(address) is None


# ── did you mean ──


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("order.plcaed", ("order.placed",)),
        ("Order.Placed", ("order.placed",)),
        ("order_placed", ("order.placed",)),
        ("orders.placed", ("order.placed",)),
        ("payment.captred", ("payment.captured",)),
        ("signal", ()),
        ("completely.different", ()),
        ("x" * 300, ()),
        ("", ()),
    ],
)
def test_names_that_are_nearly_right_are_found(asked: str, found: tuple[str, ...]) -> None:
    names = Names(["order.placed", "order.cancelled", "payment.captured", "signal.changed"])
    assert names.near(asked) == found


def test_a_rare_word_finds_its_name_among_ten_thousand() -> None:
    names = Names(f"shop.team{number % 50}.thing{number}.changed" for number in range(10_000))
    assert names.near("shop.team7.thing4807.chnaged")[0] == "shop.team7.thing4807.changed"
