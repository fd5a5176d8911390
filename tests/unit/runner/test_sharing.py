"""The parts of a target's limit never exceed it, whoever comes, goes and asks in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from delivery.runner.sharing import fair, moved

NAMES = [f"shift {n}" for n in range(6)]


@given(st.integers(1, 100), st.integers(1, 6), st.integers(0, 9))
def test_the_parts_make_up_the_whole_less_what_is_kept_free(most: int, count: int, spare: int) -> None:
    owners = NAMES[:count]
    parts = [fair(most, owners, name, spare) for name in owners]
    assert sum(parts) == most - min(most // 4, spare)
    assert max(parts) - min(parts) <= 1


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.sampled_from(["come", "go", "ask", "end"]), st.integers(0, 5), st.integers(0, 40))),
)
def test_in_the_sum_no_more_is_under_way_than_the_limit(most: int, steps: list[tuple[str, int, int]]) -> None:
    places: dict[str, int] = {}  # as they are written down
    shares: dict[str, int] = {}  # as the shifts know them
    under_way: dict[str, int] = {}

    def ask(name: str) -> None:
        goal = fair(most, list(places), name)
        free = max(0, most - (sum(places.values()) - places[name]))
        places[name] = moved(goal, places[name], max(shares[name], under_way[name]), free)
        shares[name] = min(goal, places[name])
        under_way[name] = max(under_way[name], shares[name])  # It uses all of it at once.

    for what, number, amount in steps:
        name = NAMES[number]
        if what == "come" and name not in places:
            places[name] = shares[name] = under_way[name] = 0
            ask(name)
        elif name in places:
            if what == "go":
                del places[name], shares[name], under_way[name]
            elif what == "ask":
                ask(name)
            elif what == "end" and under_way[name] > shares[name]:
                under_way[name] = max(shares[name], under_way[name] - amount)
        assert sum(under_way.values()) <= most
    for _ in range(3):
        for name in places:
            under_way[name] = min(under_way[name], shares[name])
            ask(name)
    assert sum(shares.values()) == (most if places else 0)
