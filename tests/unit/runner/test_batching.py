"""Which events travel together, and how long they wait for others."""

from __future__ import annotations

from collections import deque

from delivery.runner.batching import Batcher
from delivery.runner.items import Flight, Item
from delivery.runner.policy import Batching


def items(*keys: int, recorded: bool = True) -> list[Item]:
    flight = Flight(1, len(keys)) if recorded else None
    return [Item(seq, 0, key, b"", 0, chain=key, flight=flight) for seq, key in enumerate(keys, 1)]


def picked(
    batcher: Batcher, cleared: deque[Item], busy: dict[int, deque[Item] | None], **sizes: int
) -> list[int]:
    """The seqs of the next batch; `sizes` by seq as in s3=100, 10 for all others, 0 for what cannot be sent."""
    size = lambda item: sizes.get(f"s{item.seq}", 10) or None  # noqa: E731
    return [item.seq for item in batcher.pick(cleared, busy, 100, lambda: True, size)]


def test_a_batch_takes_as_many_as_it_may_and_what_is_left_waits_anew() -> None:
    one, two, three = items(1, 2, 3)
    cleared: deque[Item] = deque([one, two, three])
    busy: dict[int, deque[Item] | None] = {1: None, 2: None, 3: None}
    batcher = Batcher(Batching(2, 1000, 5.0), 100, False)
    assert batcher.due_in(cleared, busy, 100.0) == 0
    assert picked(batcher, cleared, busy) == [1, 2]
    batcher.gone()
    assert batcher.due_in(cleared, busy, 101.0) == 5.0
    assert batcher.due_in(cleared, busy, 104.0) == 2.0
    assert batcher.due_in(cleared, busy, 107.0) == 0


def test_the_connector_may_take_fewer_than_the_policy_says() -> None:
    assert Batcher(Batching(500), 10, False).count == 10


def test_a_batch_does_not_grow_beyond_its_bytes_but_one_event_always_goes() -> None:
    batcher = Batcher(Batching(10, 25, 0.0), 100, False)
    cleared: deque[Item] = deque(items(1, 2, 3, 4))
    busy: dict[int, deque[Item] | None] = dict.fromkeys(range(1, 5))
    assert picked(batcher, cleared, busy, s4=99) == [1, 2]
    assert picked(batcher, cleared, busy, s4=99) == [3]
    assert picked(batcher, cleared, busy, s4=99) == [4]


def test_what_cannot_be_sent_takes_no_room() -> None:
    batcher = Batcher(Batching(2, 1000, 0.0), 100, False)
    cleared: deque[Item] = deque(items(1, 2, 3))
    assert picked(batcher, cleared, dict.fromkeys((1, 2, 3)), s1=0) == [1, 2, 3]


def test_of_each_key_one_event_unless_the_target_takes_a_batch_in_its_order() -> None:
    def both(ordered: bool) -> list[int]:
        first, second, third, other = items(1, 1, 1, 2)
        third.flight = None  # not recorded as in flight yet
        cleared: deque[Item] = deque([first, other])
        busy: dict[int, deque[Item] | None] = {1: deque([second, third]), 2: None}
        return picked(Batcher(Batching(10, 1000, 0.0), 100, ordered), cleared, busy)

    assert both(False) == [1, 4]
    assert both(True) == [1, 2, 4]


def test_nobody_waits_for_the_window_behind_an_event_of_its_own_key() -> None:
    first, second = items(1, 1)
    busy: dict[int, deque[Item] | None] = {1: deque([second])}
    assert Batcher(Batching(10, 1000, 5.0), 100, False).due_in(deque([first]), busy, 0.0) == 0
    assert Batcher(Batching(10, 1000, 5.0), 100, True).due_in(deque([first]), busy, 0.0) == 5.0


def test_nothing_that_the_rate_does_not_allow_is_taken() -> None:
    batcher = Batcher(Batching(10, 1000, 0.0), 100, False)
    cleared: deque[Item] = deque(items(1, 2, 3))
    tokens = iter([True, True, False])
    found = [
        item.seq
        for item in batcher.pick(cleared, dict.fromkeys((1, 2, 3)), 100, lambda: next(tokens), lambda item: 1)
    ]
    assert found == [1, 2]
    assert [item.seq for item in cleared] == [3]
