"""What was seen, path by path, for a page."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.schemas.shape.accumulator import Shape
from catalog.schemas.shape.maps import read
from catalog.schemas.shape.node import Node
from catalog.schemas.shape.numbers import Bucket
from catalog.schemas.shape.paths import ENTRY, MAP_ENTRY, Path, pointer_of_path
from catalog.schemas.shape.strings import EXAMPLES

TOP = 10


@dataclass(frozen=True)
class Row:
    """What was seen at one path. Shares are 0 to 1; lengths are characters or entries; examples are JSON values.

    `share` is of the objects (for entries of arrays and maps: 1) around it. `top` are the most frequent strings, with
    their share of all strings there, empty when there are too many different ones (`many`). `middle` and `high` are
    about the numbers below which 50 % and 95 % lie. A `private` row has counts only.
    """

    path: Path
    count: int
    share: float
    kinds: tuple[tuple[str, float], ...]
    private: bool = False
    format: str = ""
    top: tuple[tuple[str, float], ...] = ()
    many: bool = False
    true_share: float | None = None
    least: int | float | None = None
    greatest: int | float | None = None
    middle: float | None = None
    high: float | None = None
    buckets: tuple[Bucket, ...] = ()
    lengths: tuple[int, int] | None = None
    names: int | None = None
    examples: tuple[str | int | float, ...] = ()

    @property
    def pointer(self) -> str:
        """The path as a pointer, with "[]" for entries of arrays and "{}" for those of maps."""
        return pointer_of_path(self.path)

    @property
    def depth(self) -> int:
        """0 for a member of data, one more for each object or map around it."""
        return max(sum(part != ENTRY for part in self.path) - 1, 0)


def seen(shape: Shape) -> list[Row]:
    """A row for each path in reading order: members by presence, then by name; a map's entries as one row."""
    rows: list[Row] = []
    _rows(shape.root, (), 1.0, rows)
    return rows


def _rows(node: Node, path: Path, share: float, rows: list[Row]) -> None:
    if path or node.count != (node.objects.count if node.objects else 0):
        rows.append(_row(node, path, share))
    if node.objects is not None:
        reading = read(node.objects)
        for name, child in sorted(reading.fields.items(), key=lambda one: (-one[1].count, one[0])):
            _rows(child, (*path, name), child.count / node.objects.count, rows)
        entries = reading.entries or node.objects.rest
        if entries is not None:
            _rows(entries, (*path, MAP_ENTRY), 1.0, rows)
    if node.arrays is not None and node.arrays.items is not None:
        _rows(node.arrays.items, (*path, ENTRY), 1.0, rows)


def _row(node: Node, path: Path, share: float) -> Row:
    kinds = tuple((kind, count / node.count) for kind, count in node.kinds().items())
    strings, numbers, arrays = node.strings, node.numbers, node.arrays
    names = read(node.objects).names if node.objects is not None else None
    form = strings.format if strings is not None else ""
    if node.private:
        return Row(path, node.count, share, kinds, True, form, names=names)
    lengths = None
    if strings is not None and strings.shortest is not None and strings.longest is not None:
        lengths = (strings.shortest, strings.longest)
    elif arrays is not None and arrays.shortest is not None and arrays.longest is not None:
        lengths = (arrays.shortest, arrays.longest)
    top: tuple[tuple[str, float], ...] = ()
    examples: list[str | int | float] = []
    if strings is not None:
        ranked = sorted(strings.values.items(), key=lambda one: (-one[1], one[0]))
        top = tuple((text, count / strings.count) for text, count in ranked[:TOP])
        examples.extend(strings.examples or [text for text, _ in ranked])
    if numbers is not None:
        bounds = (numbers.least, numbers.greatest)
        examples.extend(dict.fromkeys(bound for bound in bounds if bound is not None))
    return Row(
        path,
        node.count,
        share,
        kinds,
        format=form,
        top=top,
        many=strings is not None and strings.many,
        true_share=node.trues / node.booleans if node.booleans else None,
        least=numbers.least if numbers else None,
        greatest=numbers.greatest if numbers else None,
        middle=numbers.quantile(0.5) if numbers else None,
        high=numbers.quantile(0.95) if numbers else None,
        buckets=tuple(numbers.histogram()) if numbers else (),
        lengths=lengths,
        names=names,
        examples=tuple(examples[:EXAMPLES]),
    )
