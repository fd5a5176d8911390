"""The map as a table: one row for each way from an event type through a rule to a target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from delivery.map.graph import RULES, SOURCES, TYPES, Line, Node
from delivery.pages.map_shown import Shown


class Way(NamedTuple):
    """A row. `rate`: events of the type per minute; `passed`: of the rule's events, to this target. None: there is none."""

    sources: tuple[Node, ...]
    type: Node | None
    rate: float
    rule: Node | None
    target: Node | None
    passed: float


def _word(way: Way) -> tuple[int, str]:
    kinds = ("bad", "warn", "busy", "idle", "ok", "")
    status = min((node.status for node in (way.target, way.type) if node), key=kinds.index, default="")
    return kinds.index(status), status


def _name(node: Node | None) -> tuple[bool, str]:
    return node is None, node.name.casefold() if node else ""


# What the table can be sorted by; a name with "-" before it turns the order around.
SORTS: dict[str, Callable[[Way], Any]] = {
    "source": lambda way: _name(way.sources[0] if way.sources else None),
    "type": lambda way: _name(way.type),
    "rate": lambda way: way.rate,
    "rule": lambda way: _name(way.rule),
    "target": lambda way: _name(way.target),
    "passed": lambda way: way.passed,
    "status": _word,
}
DEFAULT = "type"


def ways(shown: Shown, sort: str) -> list[Way]:
    """All rows of what the map shows, or of what is in focus, sorted."""
    nodes, live = shown.graph.nodes, shown.live
    into: dict[str, list[Line]] = defaultdict(list)
    out: dict[str, list[Line]] = defaultdict(list)
    for line in shown.graph.lines:
        if live is None or (line.start in live and line.end in live):
            into[line.end].append(line)
            out[line.start].append(line)
    rows: list[Way] = []
    told: set[str] = set()
    columns = [
        [node for node in column if live is None or node.key in live] for column in shown.graph.columns
    ]
    for node in columns[TYPES]:
        sources = tuple(nodes[line.start] for line in into[node.key])
        told.update(one.key for one in sources)
        taken_by = [nodes[line.end] for line in out[node.key]]
        told.update(rule.key for rule in taken_by)
        for rule in taken_by:
            rows += _through(Way(sources, node, node.rate, rule, None, 0.0), out, nodes)
        if not taken_by:
            rows.append(Way(sources, node, node.rate, None, None, 0.0))
    for node in columns[RULES]:
        if node.key not in told:
            rows += _through(Way((), None, 0.0, node, None, 0.0), out, nodes)
    rows += [Way((node,), None, 0.0, None, None, 0.0) for node in columns[SOURCES] if node.key not in told]
    name = sort.removeprefix("-")
    rows.sort(key=SORTS["type"])
    rows.sort(key=SORTS.get(name, SORTS[DEFAULT]), reverse=sort.startswith("-"))
    return rows


def _through(way: Way, out: dict[str, list[Line]], nodes: dict[str, Node]) -> list[Way]:
    """The way, once for each target that its rule delivers to."""
    lines = out[way.rule.key] if way.rule else []
    return [way._replace(target=nodes[line.end], passed=line.rate) for line in lines] or [way]
