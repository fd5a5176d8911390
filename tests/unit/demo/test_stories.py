"""The town's stories: everything they tell fits its schema, hangs together, and goes on."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import jsonschema_rs
import pytest

from delivery.cloudevents import decode_structured
from delivery.demo import catalog
from delivery.demo.generator import as_json
from delivery.demo.receivers import REFERENCE_LENGTH
from delivery.demo.stories import BROKEN, UNREGISTERED, Happening, Stories, moment

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
KINDS = {kind.name: kind for kind in catalog.kinds()}
CHECKS = {
    (kind.name, number): jsonschema_rs.validator_for(version.schema, validate_formats=True)
    for kind in catalog.kinds()
    for number, version in enumerate(kind.versions, 1)
}


def told(seed: int = 7, events: int = 6000, rate: float = 2.0) -> list[Happening]:
    """What happens in `events / rate` seconds."""
    stories = Stories(random.Random(seed))
    return [stories.next(START + timedelta(seconds=number / rate)) for number in range(events)]


@pytest.fixture(scope="module")
def happenings() -> list[Happening]:
    return told()


def misfits(happening: Happening) -> list[str]:
    """Why it does not fit the version that it names, or the newest."""
    number = happening.version or len(KINDS[happening.type].versions)
    return [error.message for error in CHECKS[happening.type, number].iter_errors(happening.data)]


def test_everything_that_happens_fits_its_schema_unless_its_type_only_warns(
    happenings: list[Happening],
) -> None:
    for happening in happenings:
        if happening.type in KINDS and KINDS[happening.type].validation == "reject":
            assert misfits(happening) == [], happening


def test_a_broken_detector_sends_what_does_not_fit_once_in_a_while(happenings: list[Happening]) -> None:
    measured = [happening for happening in happenings if happening.type == "congestion.measured"]
    wrong = [happening for happening in measured if misfits(happening)]
    assert {happening.subject for happening in wrong} == {BROKEN}
    assert 0.01 < len(wrong) / len(measured) < 0.15


def test_every_event_type_of_the_catalog_happens_and_one_that_nobody_registered(
    happenings: list[Happening],
) -> None:
    assert {happening.type for happening in happenings} == {*KINDS, UNREGISTERED}
    assert UNREGISTERED not in KINDS


def test_the_tills_name_a_version_that_is_deprecated(happenings: list[Happening]) -> None:
    named = {(h.source, h.type, h.version) for h in happenings if h.version is not None}
    assert named == {("/shop/tills", "order.placed", 1)}
    assert [version.lifecycle for version in KINDS["order.placed"].versions] == ["deprecated", "active"]
    till = next(happening for happening in happenings if happening.version is not None)
    found = decode_structured(as_json(till))
    assert (found.dataschema or "").endswith("/schemas/order.placed/1")


def test_every_event_of_a_registered_type_comes_from_a_source_that_is_registered_for_it(
    happenings: list[Happening],
) -> None:
    emits = {kind.name: {catalog.SOURCES[slug].uri for slug in kind.sources} for kind in catalog.kinds()}
    for happening in happenings:
        if happening.type != UNREGISTERED:
            assert happening.source in emits[happening.type], happening


def test_an_order_is_placed_before_anything_else_happens_to_it(happenings: list[Happening]) -> None:
    orders: dict[str, list[str]] = defaultdict(list)
    for happening in happenings:
        if "order_id" in happening.data:
            assert happening.subject == happening.data["order_id"] == happening.key
            orders[happening.subject].append(happening.type)
    assert len(orders) > 500
    for order, types in orders.items():
        assert types[0] == "order.placed", order
        assert types.count("order.placed") == 1, f"{order} is the number of two orders"
        if "parcel.dispatched" in types:
            assert types.index("payment.captured") < types.index("parcel.dispatched")
        if "parcel.delivered" in types:
            assert types.index("parcel.dispatched") < types.index("parcel.delivered")
            assert "order.cancelled" not in types


def test_most_stories_come_to_their_end(happenings: list[Happening]) -> None:
    first_half = {h.subject for h in happenings[:3000] if h.type == "order.placed"}
    ended = {"parcel.delivered", "refund.issued", "order.cancelled"}
    assert {h.subject for h in happenings if h.type in ended} >= first_half


def test_orders_of_stores_and_only_those_have_numbers_that_billing_refuses(
    happenings: list[Happening],
) -> None:
    placed = [happening.data for happening in happenings if happening.type == "order.placed"]
    for data in placed:
        assert (len(data["order_id"]) > REFERENCE_LENGTH) == (data["channel"] == "store"), data["order_id"]
    share = Counter(data["channel"] for data in placed)["store"] / len(placed)
    assert 0.04 < share < 0.14


def test_order_numbers_do_not_repeat_in_the_next_run() -> None:
    first = {happening.subject for happening in told(seed=1) if happening.type == "order.placed"}
    stories = Stories(random.Random(1))
    later = START + timedelta(seconds=6000 / 2.0)
    again = {stories.next(later + timedelta(seconds=n)).subject for n in range(500)}
    assert not {order for order in again if order.startswith("order-")} & first


def test_a_signal_changes_to_the_colour_that_follows(happenings: list[Happening]) -> None:
    shows: dict[tuple[str, str], str] = {}
    for happening in happenings:
        if happening.type == "signal.changed":
            data = happening.data
            signal = (data["junction"], data["direction"])
            assert data["before"] == shows.get(signal, data["before"])
            assert (data["before"], data["colour"]) in {
                ("green", "amber"),
                ("amber", "red"),
                ("red", "green"),
            }
            shows[signal] = data["colour"]


def test_time_that_goes_back_does_not_stop_the_town() -> None:
    stories = Stories(random.Random(3))
    stories.next(START)
    assert stories.next(START - timedelta(hours=1)).type


def test_what_is_posted_is_a_cloudevent_of_now() -> None:
    happening = told(events=1)[0]
    before = moment(datetime.now(UTC))
    event = decode_structured(as_json(happening))
    assert (event.type, event.source, event.subject) == (happening.type, happening.source, happening.subject)
    assert before <= (event.time or "") <= moment(datetime.now(UTC))
    assert json.loads(event.data or b"null") == happening.data


def test_the_same_happening_told_twice_is_two_events() -> None:
    happening = told(events=1)[0]
    assert decode_structured(as_json(happening)).id != decode_structured(as_json(happening)).id


@pytest.mark.parametrize("kind", catalog.kinds(), ids=lambda kind: kind.name)
def test_every_example_fits_its_schema_version(kind: catalog.Kind) -> None:
    for version in kind.versions:
        jsonschema_rs.meta.validate(version.schema)
        check = jsonschema_rs.validator_for(version.schema, validate_formats=True)
        assert [error.message for error in check.iter_errors(version.example)] == []


@pytest.mark.parametrize("kind", catalog.kinds(), ids=lambda kind: kind.name)
def test_every_field_of_every_type_says_what_it_means(kind: catalog.Kind) -> None:
    def check(schema: dict[str, object], where: str) -> None:
        properties = schema.get("properties", {})
        assert isinstance(properties, dict)
        for name, field in properties.items():
            assert field.get("description"), f"{kind.name}: {where}{name} has no description"
            check(field, f"{where}{name}.")
        if isinstance(schema.get("items"), dict):
            check(schema["items"], f"{where}[].")  # type: ignore[arg-type]

    for version in kind.versions:
        check(version.schema, "")
