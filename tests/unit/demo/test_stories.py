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
from delivery.demo.stories import Happening, Stories, moment

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CHECKS = {
    kind.name: jsonschema_rs.validator_for(kind.versions[-1].schema, validate_formats=True)
    for kind in catalog.kinds()
}


def told(seed: int = 7, events: int = 6000, rate: float = 2.0) -> list[Happening]:
    """What happens in `events / rate` seconds."""
    stories = Stories(random.Random(seed))
    return [stories.next(START + timedelta(seconds=number / rate)) for number in range(events)]


@pytest.fixture(scope="module")
def happenings() -> list[Happening]:
    return told()


def test_everything_that_happens_fits_its_schema(happenings: list[Happening]) -> None:
    for happening in happenings:
        errors = [error.message for error in CHECKS[happening.type].iter_errors(happening.data)]
        assert errors == [], f"{happening.type}: {errors}"


def test_every_event_type_of_the_catalog_happens(happenings: list[Happening]) -> None:
    assert {happening.type for happening in happenings} == set(CHECKS)


def test_every_event_comes_from_a_source_that_is_registered_for_its_type(happenings: list[Happening]) -> None:
    emits = {kind.name: {catalog.SOURCES[slug].uri for slug in kind.sources} for kind in catalog.kinds()}
    for happening in happenings:
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
