"""Places for sends: as many as the process may open files, in turn where there are fewer than wanted."""

from __future__ import annotations

import resource

import pytest

from delivery.runner import room as rooms
from delivery.runner.room import Room, most_sends


def test_who_finds_no_place_is_called_in_turn() -> None:
    room, called = Room(2), []
    first, second = (lambda: called.append("first")), (lambda: called.append("second"))
    assert room.take(first)
    assert room.take(first)
    assert not room.crowded
    assert not room.take(first)
    assert not room.take(second)
    assert not room.take(first), "asked twice, it is called once"
    assert room.crowded
    room.give()
    assert called == ["first"]
    room.give()
    assert called == ["first", "second"]
    assert not room.crowded
    room.give()
    assert called == ["first", "second"]


def test_who_was_forgotten_is_not_called() -> None:
    room, called = Room(1), []
    waits = lambda: called.append(1)  # noqa: E731
    assert room.take(waits)
    room.wait(waits)
    room.forget(waits)
    room.forget(waits)
    room.give()
    assert called == []


@pytest.mark.parametrize(
    ("limits", "most", "raised"),
    [
        ((1024, 1024), 256, None),
        ((1024, 20_000), 6581, (20_000, 20_000)),
        ((256, 256), 8, None),
        ((1024, resource.RLIM_INFINITY), 21_760, (65_536, resource.RLIM_INFINITY)),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 21_760, None),
    ],
)
def test_a_process_opens_as_many_files_as_it_may(
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[int, int],
    most: int,
    raised: tuple[int, int] | None,
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(rooms.resource, "getrlimit", lambda what: limits)
    monkeypatch.setattr(rooms.resource, "setrlimit", lambda what, new: told.append(new))
    assert most_sends() == most
    assert told == ([raised] if raised else [])


def test_what_may_not_be_raised_counts_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(what: int, new: tuple[int, int]) -> None:
        raise ValueError("not allowed")

    monkeypatch.setattr(rooms.resource, "getrlimit", lambda what: (1024, 20_000))
    monkeypatch.setattr(rooms.resource, "setrlimit", refuse)
    assert most_sends() == 256
