"""The stretches of time that pages of figures show: whole bars, never more than a chart can hold."""

from __future__ import annotations

from typing import Any

import pytest

from delivery.pages.stretch import BY_DAY, DAY, MOST, RANGES, SHORTEST, Stretch, between, chosen, named
from delivery.tracking import rates
from delivery.tracking.read import MINUTE

# Friday, 27 November 2026, 03:07:30 UTC.
AT = 1_795_748_850_000_000
NOW = AT // MINUTE


@pytest.fixture(autouse=True)
def two_years_of_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "first_minute", lambda: NOW - 730 * DAY)


def whole(stretch: Stretch) -> bool:
    return stretch.first % stretch.step == 0 and (stretch.last + 1) % stretch.step == 0


@pytest.mark.parametrize("name", RANGES)
def test_a_range_is_whole_bars_that_end_now(name: str) -> None:
    found = named(name, AT)
    assert whole(found)
    assert found.last - found.step < NOW <= found.last
    assert 15 <= found.minutes // found.step <= MOST
    assert found.minutes >= (RANGES[name][1] or 730 * DAY)
    assert 0 < found.running(AT) <= 1
    assert found.query == f"range={name}"


@pytest.mark.parametrize(
    "minutes", [15, 60, 121, 360, 700, DAY, 3 * DAY, 20 * DAY, 44 * DAY, 46 * DAY, 365 * DAY, 3650 * DAY]
)
def test_any_stretch_has_as_many_bars_as_can_be_told_apart(minutes: int) -> None:
    found = between(NOW - minutes, NOW, AT)
    assert whole(found)
    assert found.minutes // found.step <= MOST + 1
    assert found.first <= NOW - minutes
    assert minutes <= BY_DAY or found.step % DAY == 0


def test_what_is_older_than_the_minutes_that_are_kept_is_counted_by_fives() -> None:
    assert between(NOW - 40 * DAY, NOW - 40 * DAY + SHORTEST, AT).step == 5
    assert between(NOW - 20 * DAY, NOW - 20 * DAY + SHORTEST, AT).step == 1


def test_a_stretch_of_one_s_own_can_be_shared_and_ends_where_it_was_told_to() -> None:
    found, form = chosen({"from": "2026-11-20T10:00", "to": "2026-11-21T10:00", "range": "1h"}, AT)
    assert form.is_valid()
    assert (found.name, found.open, found.step) == ("", False, 10)
    assert found.query == "from=2026-11-20T10:00&to=2026-11-21T10:00"
    assert found.label == "20 Nov 10:00 – 21 Nov 10:00"
    assert found.running(AT) == 1.0
    again, _form = chosen(dict(part.split("=") for part in found.query.split("&")), AT)
    assert again == found


def test_without_an_end_it_goes_on_until_now() -> None:
    found, _form = chosen({"from": "2026-11-27T00:00"}, AT)
    assert found.open
    assert found.last >= NOW


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"to": "2026-11-20T10:00"}, "from", "Say from when."),
        ({"from": "2026-11-28T10:00"}, "from", "This is yet to come."),
        ({"from": "2026-11-20T10:00", "to": "2026-11-20T09:00"}, "to", "at least 15 minutes after"),
        ({"from": "2026-11-20T10:00", "to": "2026-11-20T10:14"}, "to", "at least 15 minutes after"),
        ({"from": "yesterday"}, "from", "valid date"),
    ],
)
def test_a_stretch_that_would_show_nothing_is_refused(query: dict[str, str], field: str, says: str) -> None:
    found, form = chosen(query | {"range": "6h"}, AT)
    assert says in str(form.errors[field])
    assert found.name == "6h"


@pytest.mark.parametrize("query", [{}, {"range": "nonsense"}, {"from": "", "to": " "}])
def test_what_is_no_range_is_the_last_hour(query: dict[str, Any]) -> None:
    assert chosen(query, AT)[0].name == "1h"


def test_a_fresh_install_has_no_counts_and_shows_a_quarter_of_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "first_minute", lambda: None)
    assert named("all", AT).minutes == SHORTEST
