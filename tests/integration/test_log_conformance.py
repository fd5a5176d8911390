"""What every log keeps, wherever events are stored first: the databases, and brokers of Kafka's protocol before them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from delivery.log.entry import BelowFloor
from delivery.log.interface import open_log
from tests.databases import Database
from tests.events import a_bus, an_entry
from tests.integration.logs import LOGS, LogUnderTest, log_under_test


@pytest.fixture(params=LOGS)
def place(request: pytest.FixtureRequest, log_database: Database) -> Iterator[LogUnderTest]:
    with log_under_test(request.param, {a_bus(name).pk: name for name in ("city", "harbour")}) as found:
        yield found


def ids(log: LogUnderTest, **named: int) -> list[str]:
    """The ids of what can be read, in order."""
    import json

    return [json.loads(stored.raw)["id"] for stored in log.log.read(0, 10_000, **named)]


def test_what_is_appended_can_be_read_whole(place: LogUnderTest) -> None:
    entry = an_entry("a", "Zürich 🚦", bus=place.buses[0], data={"speed": 50})
    place.store([[entry]])
    (stored,) = place.log.read(0, 10)
    assert (stored.seq, stored.bus, stored.lane, stored.key, stored.raw) == (
        1, entry.bus, entry.lane, entry.key, entry.raw,
    )  # fmt: skip


def test_seq_grows_by_one_and_the_head_is_the_newest(place: LogUnderTest) -> None:
    assert place.log.head() == 0
    for part in range(3):
        place.store([[an_entry(f"{part}-{n}", f"s{n}", bus=place.buses[n % 2]) for n in range(40)]])
    assert [stored.seq for stored in place.log.read(0, 1000)] == list(range(1, 121))
    assert place.log.head() == 120
    assert [stored.seq for stored in place.log.read(100, 5)] == [101, 102, 103, 104, 105]


def test_a_key_keeps_its_order(place: LogUnderTest) -> None:
    for part in range(5):
        groups = [
            [an_entry(f"s{key}/{part}-{n}", f"s{key}", bus=place.buses[0])]
            for n in range(4)
            for key in range(9)
        ]
        place.store(groups, settle=part == 4)
    found = ids(place)
    for key in range(9):
        assert [one for one in found if one.startswith(f"s{key}/")] == [
            f"s{key}/{part}-{n}" for part in range(5) for n in range(4)
        ]


def test_a_bus_is_read_by_itself(place: LogUnderTest) -> None:
    city, harbour = place.buses
    place.store([[an_entry("a", bus=city), an_entry("b", bus=harbour), an_entry("c", bus=city)]])
    assert ids(place, bus=city) == ["a", "c"]
    assert ids(place, bus=harbour) == ["b"]


def test_a_repeat_is_stored_once_on_its_bus(place: LogUnderTest) -> None:
    city, harbour = place.buses
    place.store([[an_entry("a", bus=city), an_entry("a", bus=city)], [an_entry("a", bus=city)]])
    place.store([[an_entry("a", bus=city), an_entry("a", bus=harbour)]])
    assert ids(place, bus=city) == ids(place, bus=harbour) == ["a"]
    assert place.log.head() == 2


def test_an_event_is_found_by_the_time_it_was_received(place: LogUnderTest) -> None:
    place.store([[an_entry("a", bus=place.buses[0])]])
    place.store([[an_entry("b", bus=place.buses[0])]])
    first, second = place.log.read(0, 10)
    assert first.received_at < second.received_at
    assert place.log.seek(0) == 0
    assert place.log.seek(second.received_at) == 1
    assert place.log.seek(second.received_at + 1) == 2


def test_what_retention_dropped_is_said_to_be_gone(place: LogUnderTest) -> None:
    place.store([[an_entry(f"e{n}", "A", bus=place.buses[0]) for n in range(10)]])
    later = place.log.read(0, 10)[-1].received_at + 1
    assert place.log.retain(place.buses[0], later, 7, 100) == 6
    with pytest.raises(BelowFloor):
        place.log.read(3, 10)
    assert [stored.seq for stored in place.log.read(6, 10)] == [7, 8, 9, 10]
    place.store([[an_entry("new", bus=place.buses[0])]])
    assert place.log.head() == 11


def test_what_is_stored_is_there_for_whoever_opens_the_log_next(place: LogUnderTest) -> None:
    place.store([[an_entry("a", bus=place.buses[0])]])
    assert open_log().head() == 1
