"""Where the nodes of a layered graph stand: an order per column with few crossings, and heights that keep lines level.

Layers by barycentre sweeps and exchanges of neighbours (Sugiyama et al. 1981, Gansner et al. 1993); where few edges are
left that cross, an order without crossings is looked for (planar.py). Deterministic; only who is joined to whom counts, never how strongly, so a
map stands still while its rates change.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

from delivery.map.planar import without_crossings

Edge = tuple[str, str]
Order = list[list[str]]

SWEEPS = 12
# Exchanging neighbours looks at every pair again and again: beyond so many edges the sweeps must do.
EXCHANGED = 400


def order(columns: Sequence[Sequence[str]], edges: Sequence[Edge]) -> Order:
    """Each column's nodes from top to bottom. `columns` in the order wished for; `edges` join neighbouring columns."""
    rank = {node: number for number, node in enumerate(node for column in columns for node in column)}
    # In one order, whatever theirs was: sums of the same places must round alike.
    inside = sorted(set(edges), key=lambda edge: (rank[edge[0]], rank[edge[1]]))
    ordered: Order = [[] for _ in columns]
    for part, joined in _parts(columns, inside):
        for whole, mine in zip(ordered, _arranged(part, joined), strict=True):
            whole.extend(mine)
    return ordered


def crossings(columns: Sequence[Sequence[str]], edges: Sequence[Edge]) -> int:
    """How many pairs of edges cross when the columns stand in this order and edges are straight."""
    places = {node: place for column in columns for place, node in enumerate(column)}
    layer = {node: number for number, column in enumerate(columns) for node in column}
    gaps: list[list[tuple[int, int]]] = [[] for _ in columns]
    for start, end in edges:
        gaps[layer[start]].append((places[start], places[end]))
    return sum(_inversions(gap) for gap in gaps)


def heights(
    columns: Sequence[Sequence[str]], edges: Sequence[Edge], gaps: Sequence[float]
) -> tuple[dict[str, float], float]:
    """(height of each node, height of the whole), counted from 0 at the top.

    `gaps`: the least distance of neighbours in each column. The column that needs most room is spread evenly; each
    other node stands level with what it is joined to, as far as its neighbours let it.
    """
    needs = [len(column) * gap for column, gap in zip(columns, gaps, strict=True)]
    whole = max(needs, default=0.0)
    if not whole:
        return {}, 0.0
    widest = needs.index(whole)
    near: dict[str, list[str]] = {node: [] for column in columns for node in column}
    for start, end in edges:
        near[start].append(end)
        near[end].append(start)
    at = {node: whole * (place + 0.5) / len(columns[widest]) for place, node in enumerate(columns[widest])}
    for number in [*range(widest - 1, -1, -1), *range(widest + 1, len(columns))]:
        wished = [
            _level(
                [at[one] for one in near[node] if one in at],
                whole * (place + 0.5) / len(columns[number]),
                whole,
            )
            for place, node in enumerate(columns[number])
        ]
        # A column that is nearly full is spread nearly evenly, else all of it would crowd where most lines lead.
        share = needs[number] / whole
        even = whole / max(len(columns[number]), 1)
        spread = _spread(wished, gaps[number] + (even - gaps[number]) * share**2, gaps[number] / 2, whole)
        at.update(zip(columns[number], spread, strict=True))
    return at, whole


def _level(joined: Sequence[float], even: float, whole: float) -> float:
    """The height for a node that is joined to those heights; `even`: where its place in the column would have it.

    The mean of what it is joined to. The wider that is spread, the less it says, so the more its place counts.
    """
    if not joined:
        return even
    wide = (max(joined) - min(joined)) / whole
    return (1 - wide) * sum(joined) / len(joined) + wide * even


def _spread(wished: Sequence[float], gap: float, margin: float, whole: float) -> list[float]:
    """The heights nearest to `wished` (least squares) in this order, `gap` apart and `margin` from the ends."""
    blocks: list[tuple[float, int]] = []  # mean and size: pool adjacent violators
    for place, height in enumerate(wished):
        mean, size = height - place * gap, 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean, size = (mean * size + before * count) / (size + count), size + count
        blocks.append((mean, size))
    low, high = margin, whole - margin - (len(wished) - 1) * gap
    level = [min(max(mean, low), high) for mean, size in blocks for _ in range(size)]
    return [height + place * gap for place, height in enumerate(level)]


def _parts(columns: Sequence[Sequence[str]], edges: Sequence[Edge]) -> list[tuple[Order, list[Edge]]]:
    """What is not joined, apart: parts stand one below the other, so their edges cannot cross."""
    root = {node: node for column in columns for node in column}

    def of(node: str) -> str:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for start, end in edges:
        root[of(end)] = of(start)
    parts: dict[str, tuple[Order, list[Edge]]] = {}
    # In the order of the column with the most nodes, so that what is listed together stays together.
    for number in sorted(range(len(columns)), key=lambda number: -len(columns[number])):
        for node in columns[number]:
            parts.setdefault(of(node), ([[] for _ in columns], []))[0][number].append(node)
    for edge in edges:
        parts[of(edge[0])][1].append(edge)
    return list(parts.values())


def _arranged(columns: Order, edges: Sequence[Edge]) -> Order:
    best, fewest = columns, crossings(columns, edges)
    for backwards in (False, True):
        if not fewest:
            return best
        found, count = _swept(columns, edges, backwards)
        if len(edges) <= EXCHANGED and count:
            found, count = _exchanged(found, edges, count)
        if count < fewest:
            best, fewest = found, count
    if fewest and (level := without_crossings(columns, edges)):
        return level
    return best


def _swept(columns: Order, edges: Sequence[Edge], backwards: bool) -> tuple[Order, int]:
    """Each node to the mean of its neighbours in the column before, from left to right and back, while it helps."""
    left: dict[str, list[str]] = {node: [] for column in columns for node in column}
    right: dict[str, list[str]] = {node: [] for column in columns for node in column}
    for start, end in edges:
        right[start].append(end)
        left[end].append(start)
    current = [list(column) for column in columns]
    best, fewest = current, crossings(current, edges)
    idle = 0
    for sweep in range(SWEEPS):
        current = [list(column) for column in current]
        forth = (sweep % 2 == 0) != backwards
        numbers = range(1, len(columns)) if forth else range(len(columns) - 2, -1, -1)
        for number in numbers:
            before = current[number - 1 if forth else number + 1]
            place = {node: at / max(len(before) - 1, 1) for at, node in enumerate(before)}
            near = left if forth else right
            here = {node: at / max(len(current[number]) - 1, 1) for at, node in enumerate(current[number])}
            mean = {
                node: sum(place[one] for one in near[node]) / len(near[node]) if near[node] else here[node]
                for node in current[number]
            }
            current[number].sort(key=mean.__getitem__)
        count = crossings(current, edges)
        idle = 0 if count < fewest else idle + 1
        if count < fewest:
            best, fewest = current, count
        if not fewest or idle == 4:
            break
    return best, fewest


def _exchanged(columns: Order, edges: Sequence[Edge], count: int) -> tuple[Order, int]:
    """Neighbours in a column change places wherever that takes crossings away."""
    current = [list(column) for column in columns]
    near: list[dict[str, list[str]]] = [{}, {}]
    for start, end in edges:
        near[1].setdefault(start, []).append(end)
        near[0].setdefault(end, []).append(start)
    gained = True
    while gained and count:
        gained = False
        for number, column in enumerate(current):
            beside = [
                {node: at for at, node in enumerate(current[other])} if 0 <= other < len(current) else {}
                for other in (number - 1, number + 1)
            ]
            places = {
                node: [sorted(beside[side][one] for one in near[side].get(node, ())) for side in (0, 1)]
                for node in column
            }
            for at in range(len(column) - 1):
                upper, lower = column[at], column[at + 1]
                gain = sum(
                    _crossed(places[upper][side], places[lower][side])
                    - _crossed(places[lower][side], places[upper][side])
                    for side in (0, 1)
                )
                if gain > 0:
                    column[at], column[at + 1] = lower, upper
                    count -= gain
                    gained = True
    return current, count


def _crossed(upper: Sequence[int], lower: Sequence[int]) -> int:
    """Crossings between the edges of two neighbours, given the sorted places that each is joined to."""
    return sum(len(upper) - bisect_right(upper, place) for place in lower)


def _inversions(pairs: Sequence[tuple[int, int]]) -> int:
    count = 0
    seen: list[int] = []
    same: list[int] = []
    ordered = sorted(pairs)
    for (start, end), (following, _) in pairwise([*ordered, (-1, 0)]):
        count += len(seen) - bisect_right(seen, end)
        same.append(end)
        if following != start:
            for one in same:
                insort(seen, one)
            same = []
    return count
