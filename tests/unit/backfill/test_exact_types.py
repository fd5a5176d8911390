"""Which patterns name their types one by one, so that an index finds the events."""

from __future__ import annotations

from typing import Any

import pytest

from delivery.backfill.past import exact_types
from rules.engine import Event, Filter, compile


@pytest.mark.parametrize(
    ("pattern", "types"),
    [
        ({"type": ["a", "b", "a"]}, ["a", "b"]),
        ({"detail-type": ["a"]}, ["a"]),
        ({"type": ["a"], "$or": [{"source": ["s"]}, {"type": ["b"]}]}, ["a"]),
        ({"$or": [{"type": ["a"]}, {"type": ["b"]}]}, None),
        ({}, None),
        (None, None),
        ('{"type": ["a"]}', None),
        ({"type": ["a", {"prefix": "b"}]}, None),
        ({"type": [{"exists": True}]}, None),
        ({"type": [None]}, None),
        ({"type": ["a", 1]}, None),
        ({"type": ["a", "::1"]}, None),
        ({"type": [f"t{n}" for n in range(101)]}, None),
    ],
)
def test_the_types_a_pattern_names(pattern: Any, types: list[str] | None) -> None:
    assert exact_types(Filter(pattern)) == types


@pytest.mark.parametrize("asked", ["a", "::1", "127.0.0.1", "10.0.0.0"])
@pytest.mark.parametrize("type_name", ["a", "A", "::1", "0:0:0:0:0:0:0:1", "127.0.0.1", "127.1"])
def test_no_event_that_the_pattern_takes_is_passed_over(asked: str, type_name: str) -> None:
    pattern = {"type": [asked]}
    types = exact_types(Filter(pattern))
    if compile([(1, pattern)]).match(Event({"type": type_name}, None)):
        assert types is None or type_name in types
