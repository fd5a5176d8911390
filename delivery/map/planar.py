"""An order without crossings, where there is one.

Two edges between the same columns do not cross when their starts stand in the same order as their ends. So each pair
of edges joins the order of two pairs of nodes, for the whole graph; what is left is to choose one order for each such
class of pairs, and what follows from it (a above b, b above c: a above c). Randerath et al. 2001, "A satisfiability
formulation of problems on level graphs"; Brückner, Rutter, Stumpf 2018 prove that the choices are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

Pair = tuple[str, str]
# The work grows with the square of edges and the cube of a column.
EDGES, NODES = 80, 40


class _Crosses(Exception):
    """There is no such order."""


def without_crossings(columns: Sequence[Sequence[str]], edges: Sequence[Pair]) -> list[list[str]] | None:
    """The columns ordered so that no edges cross, as near to their given order as may be; None where some must.

    None, too, for more edges or nodes than this is meant for.
    """
    if len(edges) > EDGES or any(len(column) > NODES for column in columns):
        return None
    try:
        return _Choices(columns, edges).ordered()
    except _Crosses:
        return None


class _Choices:
    """`above[a][b]`: a stands above b, decided. `same[(a, b)]`: pairs that stand in the same order as (a, b)."""

    def __init__(self, columns: Sequence[Sequence[str]], edges: Sequence[Pair]) -> None:
        self.columns = columns
        self.layer = {node: number for number, column in enumerate(columns) for node in column}
        self.same: dict[Pair, list[Pair]] = {}
        self.above: dict[str, set[str]] = {node: set() for node in self.layer}
        self.below: dict[str, set[str]] = {node: set() for node in self.layer}
        for (start, end), (other, far) in combinations(edges, 2):
            if self.layer[start] == self.layer[other] and start != other and end != far:
                self.same.setdefault((start, other), []).append((end, far))
                self.same.setdefault((end, far), []).append((start, other))
                self.same.setdefault((other, start), []).append((far, end))
                self.same.setdefault((far, end), []).append((other, start))

    def ordered(self) -> list[list[str]]:
        """Decides pair after pair, as the columns are given where nothing speaks against it."""
        for column in self.columns:
            for upper, lower in combinations(column, 2):
                if lower not in self.above[upper] and upper not in self.above[lower]:
                    self._decide((upper, lower))
        return [sorted(column, key=lambda node: len(self.below[node])) for column in self.columns]

    def _decide(self, pair: Pair) -> None:
        todo = [pair]
        while todo:
            upper, lower = todo.pop()
            if lower in self.above[upper]:
                continue
            if upper in self.above[lower]:
                raise _Crosses
            self.above[upper].add(lower)
            self.below[lower].add(upper)
            todo += self.same.get((upper, lower), ())
            todo += [(upper, further) for further in self.above[lower]]
            todo += [(further, lower) for further in self.below[upper]]
