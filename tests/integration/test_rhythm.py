"""What is silent is judged by its own rhythm, read alike from both databases."""

from __future__ import annotations

from typing import Any

from tests.databases import Database
from tests.integration import rows as write

MINUTE = 60_000_000
HOUR, DAY = 60, 24 * 60  # minutes


def received(bus: int, name: str, ago: list[int]) -> None:
    """An event of the type in each of those minutes before this one."""
    for minutes in ago:
        write.execute(
            "INSERT INTO rollup_received (bus, type, minute, events, invalid, bytes) VALUES (%s, %s, %s, 3, 0, 9)",
            bus, name, write.now() // MINUTE - minutes,
        )  # fmt: skip


def sent(uri: str, name: str, spans: list[tuple[int, int]]) -> None:
    """Events of the source between those minutes before now, each span inside ten minutes of the clock."""
    tens = write.now() // (10 * MINUTE)
    for number, (first, last) in enumerate(spans):
        write.execute(
            "INSERT INTO rollup_source (source, type, slot, events, first_at, last_at) VALUES (%s, %s, %s, 5, %s, %s)",
            uri, name, tens - number, write.now() - first * MINUTE, write.now() - last * MINUTE,
        )  # fmt: skip


def test_an_event_type_is_silent_by_its_own_rhythm(log_database: Database) -> None:
    from delivery.tracking import rhythm

    received(1, "lively", [*range(6, 60)])
    received(1, "hourly", [HOUR + 50 + HOUR * n for n in range(30)])
    received(1, "hourly.gone", [2 * HOUR + 2 + HOUR * n for n in range(30)])
    received(1, "daily", [DAY - 10, 2 * DAY, 3 * DAY])
    received(1, "nightly", [8 * HOUR, *range(8 * HOUR + 1, 8 * HOUR + 60)])
    received(1, "once", [90 * DAY])
    received(2, "here.and.there", [30])
    received(1, "here.and.there", [50])
    names = ["lively", "hourly", "hourly.gone", "daily", "nightly", "once", "here.and.there", "never"]
    found = rhythm.of_types(names, {1, 2})
    at = write.now()
    assert {name: one.is_silent(at) for name, one in found.items()} == {
        "lively": True,  # five minutes are enough for what came every minute
        "hourly": False,
        "hourly.gone": True,
        "daily": False,
        "nightly": True,
        "once": False,
        "here.and.there": False,
    }
    assert found["daily"].pause == DAY * MINUTE + 10 * MINUTE
    assert found["here.and.there"].pause == 20 * MINUTE, "of all buses together"
    assert "here.and.there" in rhythm.of_types(["here.and.there"], {1})
    assert rhythm.of_types([], {1}) == {}
    assert rhythm.of_types(names, set()) == {}


def test_only_the_last_pauses_count(log_database: Database) -> None:
    from delivery.tracking import rhythm

    received(1, "order.placed", [*range(10, 10 + rhythm.PAUSES + 1), 10 * DAY])
    assert rhythm.of_types(["order.placed"], {1})["order.placed"].pause == MINUTE


def test_many_are_read_in_several_parts(log_database: Database) -> None:
    from delivery.tracking import rhythm

    names = [f"t.{number}" for number in range(rhythm.TOGETHER + 5)]
    for name in (names[0], names[-1]):
        received(1, name, [20, 40])
    assert rhythm.of_types(names, {1, 2}).keys() == {names[0], names[-1]}


def test_a_source_is_silent_by_what_it_sends_of_all_its_types(log_database: Database) -> None:
    from delivery.tracking import rhythm

    sent("/lively", "a", [(15, 6), (25, 16)])
    sent("/till", "a", [(15, 12), (25, 20)])
    sent("/till", "b", [(11, 8)])
    found = rhythm.of_sources({"/lively": ["a"], "/till": ["a", "b"], "/none": ["a"], "/typeless": []})
    at: Any = write.now()
    assert found.keys() == {"/lively", "/till"}
    assert found["/lively"].is_silent(at)
    assert round(found["/till"].pause / MINUTE) == 5
    assert not found["/till"].is_silent(at), "nothing for eight minutes, and it once paused for five"
    assert found["/till"].is_silent(at + 3 * MINUTE)
