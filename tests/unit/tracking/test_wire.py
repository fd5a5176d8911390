"""Which events the wire shows: the newest, but no source crowds out the others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from delivery.pages.lines import KEPT, on_the_wire
from delivery.tracking.events import Headline

NOW = 10_000_000_000
SECOND = 1_000_000


def event(seq: int, source: str, age: int) -> Headline:
    """Received `age` seconds ago."""
    return Headline(seq, 1, source, "t", None, str(seq), NOW - age * SECOND)


def test_one_event_of_a_quiet_source_stays_while_another_sends_a_hundred() -> None:
    shop = [event(seq, "/shop", 0) for seq in range(200, 100, -1)]
    mine = event(7, "/my/terminal", 90)
    found = on_the_wire([*shop, mine], NOW, 12)
    assert found == [*shop[:11], mine]


def test_after_two_minutes_it_leaves() -> None:
    shop = [event(seq, "/shop", 0) for seq in range(200, 100, -1)]
    assert on_the_wire([*shop, event(7, "/my/terminal", 121)], NOW, 12) == shop[:12]


def test_while_little_happens_old_events_stay() -> None:
    old = [event(seq, "/shop", 5000) for seq in (3, 2, 1)]
    assert on_the_wire(old, NOW, 12) == old


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 300)), max_size=60), st.integers(1, 12))
def test_it_shows_as_many_as_fit_newest_first_and_the_newest_of_all(
    listed: list[tuple[str, int]], most: int
) -> None:
    ages = sorted(age for _, age in listed)
    newest_first = [event(1000 - place, listed[place][0], age) for place, age in enumerate(ages)]
    found = on_the_wire(newest_first, NOW, most)
    assert len(found) == min(most, len(newest_first))
    assert [one.seq for one in found] == sorted((one.seq for one in found), reverse=True)
    recent = {one.source for one in newest_first if NOW - one.received_at <= KEPT}
    assert len({one.source for one in found} & recent) == min(len(recent), most)
    assert found[:1] == newest_first[:1]
