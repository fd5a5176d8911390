"""Where the map's nodes stand: no crossings where there need be none, level lines, and nothing by chance."""

from __future__ import annotations

import random
from itertools import combinations, pairwise, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.map.layout import crossings, heights, order
from delivery.map.planar import without_crossings

Columns = list[list[str]]
Edges = list[tuple[str, str]]


def counted(columns: Columns, edges: Edges) -> int:
    """Crossings, pair by pair."""
    place = {node: at for column in columns for at, node in enumerate(column)}
    layer = {node: number for number, column in enumerate(columns) for node in column}
    return sum(
        layer[start] == layer[other] and (place[start] - place[other]) * (place[end] - place[far]) < 0
        for (start, end), (other, far) in combinations(set(edges), 2)
    )


@st.composite
def layered(draw: st.DrawFn, most: int = 6) -> tuple[Columns, Edges]:
    """Four columns, and any edges between neighbouring ones."""
    columns = [[f"{number}.{at}" for at in range(draw(st.integers(0, most)))] for number in range(4)]
    possible = [pair for left, right in pairwise(columns) for pair in product(left, right)]
    return columns, draw(st.lists(st.sampled_from(possible), unique=True, max_size=14)) if possible else []


@st.composite
def drawn_without(draw: st.DrawFn) -> tuple[Columns, Edges]:
    """Columns that can be drawn without crossings, shuffled."""
    columns = [[f"{number}.{at}" for at in range(draw(st.integers(1, 9)))] for number in range(4)]
    edges = []
    for left, right in pairwise(columns):
        upper = lower = 0
        while upper < len(left) and lower < len(right):
            if draw(st.booleans()):
                edges.append((left[upper], right[lower]))
            if draw(st.booleans()):
                upper += 1
            else:
                lower += 1
    return [draw(st.permutations(column)) for column in columns], edges


@given(layered())
def test_crossings_are_those_that_one_counts_pair_by_pair(graph: tuple[Columns, Edges]) -> None:
    assert crossings(*graph) == counted(*graph)


@given(layered())
def test_every_node_stays_in_its_column_and_nothing_crosses_more_than_before(
    graph: tuple[Columns, Edges],
) -> None:
    columns, edges = graph
    found = order(columns, edges)
    assert [sorted(column) for column in found] == [sorted(column) for column in columns]
    assert counted(found, edges) <= counted(columns, edges)


@given(layered(most=3))
@settings(max_examples=40)
def test_nothing_crosses_where_some_order_has_no_crossing(graph: tuple[Columns, Edges]) -> None:
    columns, edges = graph
    best = min(counted(list(map(list, one)), edges) for one in product(*map(permutations, columns)))
    assert (counted(order(columns, edges), edges) == 0) == (best == 0)


@given(drawn_without())
def test_what_can_be_drawn_without_crossings_is(graph: tuple[Columns, Edges]) -> None:
    columns, edges = graph
    assert counted(order(columns, edges), edges) == 0
    found = without_crossings(columns, edges)
    assert found is not None
    assert counted(found, edges) == 0


def test_an_order_without_crossings_is_not_promised_where_there_is_none() -> None:
    columns = [["a", "b", "c"], ["x", "y", "z"]]
    assert without_crossings(columns, list(product(*columns))) is None


@given(layered())
def test_the_same_graph_is_drawn_the_same_way_whatever_the_order_of_its_edges(
    graph: tuple[Columns, Edges],
) -> None:
    columns, edges = graph
    shuffled = random.Random(1).sample(edges, len(edges))
    assert order(columns, edges) == order(columns, shuffled)


@given(layered(), st.lists(st.floats(10, 60), min_size=4, max_size=4))
def test_nodes_keep_their_order_and_distance_inside_the_whole(
    graph: tuple[Columns, Edges], gaps: list[float]
) -> None:
    columns, edges = graph
    at, whole = heights(columns, edges, gaps)
    assert whole == pytest.approx(max(len(column) * gap for column, gap in zip(columns, gaps, strict=True)))
    for column, gap in zip(columns, gaps, strict=True):
        placed = [at[node] for node in column]
        assert all(lower - upper >= gap - 1e-6 for upper, lower in pairwise(placed))
        assert all(gap / 2 - 1e-6 <= one <= whole - gap / 2 + 1e-6 for one in placed)


def test_a_chain_is_a_level_line() -> None:
    columns = [["s"], ["a", "b", "c"], ["r"], ["t"]]
    at, _ = heights(columns, [("s", "c"), ("c", "r"), ("r", "t")], [40, 40, 40, 40])
    assert at["s"] == at["c"] == at["r"] == at["t"] == 100


def test_what_is_not_joined_stands_apart() -> None:
    columns = [["s1", "s2"], ["a1", "b1", "a2", "b2"]]
    edges = [("s1", "a1"), ("s1", "a2"), ("s2", "b1"), ("s2", "b2")]
    assert order(columns, edges)[1] == ["a1", "a2", "b1", "b2"]
