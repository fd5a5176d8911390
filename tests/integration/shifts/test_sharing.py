"""What may be under way at once holds for the target, however many shifts serve it."""

from __future__ import annotations

import pytest

from tests.events import a_target
from tests.integration.shifts.delivered import named
from tests.integration.sink import Sink, leases, on_duty, publish, rows
from tests.processes import eventually

pytestmark = pytest.mark.usefixtures("quick_looks")
WAIT = 0.06  # seconds that the target takes for an event


def under_way(sink: Sink, since: float = 0.0) -> int:
    """The most that were on their way at once, by the time each came and how long it was kept at least."""
    starts = sorted(seen.at for seen in sink.seen if seen.at >= since)
    return max(sum(other <= at < other + WAIT for other in starts) for at in starts)


@pytest.mark.parametrize("most", [1, 3, 12])
def test_two_shifts_together_keep_to_what_may_be_under_way_at_once(sink: Sink, most: int) -> None:
    target = a_target(sink.url, max_in_flight=most, order="none")
    sink.answer = lambda path, name, subject, times: (200, WAIT)
    with on_duty(600.0, 600.0):
        for part in range(6):
            publish([target.pk], *named(part * 20, (part + 1) * 20))
            sink.wait_for(part * 20 + 10)
        sink.wait_for(120)
        if most > 1:
            assert len({owner for _, _, owner in leases()}) <= 2
        placed = rows("SELECT SUM(places) FROM runner_place WHERE target = %s", target.pk)
        assert placed[0][0] <= most
    assert len(sink.taken) == 120
    assert under_way(sink) <= most
    eventually(lambda: rows("SELECT * FROM runner_place") == [], "places are given back with the leases")


def test_a_shift_that_goes_leaves_its_places_to_the_other(sink: Sink) -> None:
    target = a_target(sink.url, max_in_flight=16, order="none")
    sink.answer = lambda path, name, subject, times: (200, WAIT)
    with on_duty(600.0, 600.0) as (first, second):
        publish([target.pk], *named(0, 200))
        sink.wait_for(100)
        first.stop()
        publish([target.pk], *named(200, 300))
        sink.wait_for(300)
        eventually(
            lambda: rows("SELECT places FROM runner_place WHERE target = %s", target.pk) in ([(16,)], []),
            "the one that stays has all of them",
        )
        assert second.works
    assert under_way(sink) <= 16


def test_a_target_with_as_few_places_as_none_to_share_is_served_by_one_shift(sink: Sink) -> None:
    target = a_target(sink.url, max_in_flight=1)
    sink.answer = lambda path, name, subject, times: (200, 0.005)
    with on_duty(600.0, 600.0, 600.0):
        publish([target.pk], *named(0, 60))
        sink.wait_for(60)
        assert len({owner for _, _, owner in leases()}) <= 1
    assert len(sink.taken) == 60
