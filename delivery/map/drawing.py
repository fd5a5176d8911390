"""The map as SVG: lines as curves as wide as their rate, stations, junctions and termini, each a link.

In the page CSS colours it (static/css/map.css). A drawing that stands alone brings its own style, for light paper.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

from delivery.map import layout
from delivery.map.graph import RULES, SOURCES, TARGETS, TYPES, Graph, Line, Node

TOP, BOTTOM, LEAST = 46, 26, 200
# x of each column with room for a panel beside the map, and without; then the width of the whole.
NARROW = ((112.0, 318.0, 552.0, 728.0), 892)
WIDE = ((118.0, 384.0, 706.0, 1000.0), 1176)
# The least distance of two nodes in a column; from so many in one on, names and rates share a line.
ROOMY, CLOSE, CROWDED = (46.0, 50.0, 46.0, 44.0), (34.0, 26.0, 28.0, 34.0), 60
# The longest name that fits beside or above its node, in characters, for both widths.
LONGEST = {NARROW: (17, 30, 28, 19), WIDE: (18, 40, 40, 22)}
SHAPES = {
    "ok": '<circle class="ok" cx="{x:g}" cy="{y:.1f}" r="4.5"/>',
    "warn": '<path class="warn" d="M{x:g},{up:.1f}l5.5,5.5l-5.5,5.5l-5.5,-5.5Z"/>',
    "bad": '<path class="bad" d="M{x:g},{up:.1f}l6,10.500l-12,0Z"/>',
    "idle": '<circle class="idle" cx="{x:g}" cy="{y:.1f}" r="4"/>',
    "busy": '<circle class="busy" cx="{x:g}" cy="{y:.1f}" r="4"/>',
}
ALONE = """
.topo{font-family:Geist,system-ui,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",sans-serif;background:#fff}
text{font-size:12px;fill:#1b1e26;paint-order:stroke;stroke:#fff;stroke-width:4.5px;stroke-linejoin:round}
.mono{font-family:"JetBrains Mono",ui-monospace,Menlo,Consolas,monospace;font-size:11.5px;letter-spacing:-.3px}
.nm{font-weight:550}.sb,.col{fill:#6a6d76;font-size:11px}.col{font-weight:550}
.ln{fill:none;stroke:var(--c,#6a6d76);stroke-linecap:round}.ln.dim{opacity:.17}.dim{opacity:.5}
.ln.fail{stroke:#eb4441;stroke-dasharray:1 7;stroke-width:4}.ln.fail.warn{stroke:#d1821d;fill:none}
.stn{fill:#fff;stroke:var(--c,#6a6d76);stroke-width:3}.many .stn{stroke-width:2}.term{fill:#fff;stroke:#4c5059;stroke-width:3}
.jn{fill:#fff;stroke:#4c5059;stroke-width:2}.plat{fill:#4c5059}.ok{fill:#2fa46a}.warn{fill:#d1821d}.bad{fill:#eb4441}
.idle{fill:none;stroke:#909297;stroke-width:1.5}.busy{fill:none;stroke:#1d5ad2;stroke-width:3}
.hit{fill:none}.sel{fill:#e8f1ff;stroke:#b0cbfc}.on text{stroke:#e8f1ff}
"""
HUES = (
    "#0075d4", "#8046c9", "#007c7d", "#bf561d", "#527b2a", "#bf3780",
    "#4e6c8b", "#996a06", "#008455", "#4e57d1", "#af3bae", "#ba3e3e",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """What a drawing says around its graph.

    `heads`: names of the four columns.  `label`: what the whole shows, for whoever cannot see it.  `live`: keys of the
    nodes in focus, the others are dimmed; None: nothing is.  `focus`: the key that is marked, or "".
    """

    heads: Sequence[str]
    label: str
    live: Collection[str] | None = None
    focus: str = ""
    wide: bool = True
    alone: bool = False


def width_of(rate: float) -> float:
    """The width of a line in pixels: a hair for none, and wider by 1.75 for each tenfold of events per minute, up to 8."""
    return min(1.3 + 1.75 * math.log10(rate + 1), 8.0)


def svg(graph: Graph, picture: Picture) -> str:
    """The whole drawing, escaped."""
    keys = [[node.key for node in column] for column in graph.columns]
    edges = [(line.start, line.end) for line in graph.lines]
    ordered = layout.order(keys, edges)
    crowded = max(map(len, keys), default=0) >= CROWDED
    y, height = layout.heights(ordered, edges, CLOSE if crowded else ROOMY)
    slack = max(LEAST - height, 0) / 2
    return _Drawing(graph, picture, {key: at + TOP + slack for key, at in y.items()}, crowded).text(
        max(height, LEAST) + TOP + BOTTOM
    )


class _Drawing:
    def __init__(self, graph: Graph, picture: Picture, y: dict[str, float], crowded: bool) -> None:
        self.graph, self.picture, self.y, self.crowded = graph, picture, y, crowded
        self.columns = WIDE if picture.wide else NARROW
        self.x, self.width = self.columns
        self.nodes = graph.nodes

    def text(self, height: float) -> str:
        """The SVG element, `height` pixels high at its natural size."""
        lines = sorted(self.graph.lines, key=lambda line: (self._lit(line), line.rate))
        parts = [self._head(column) for column in range(4)]
        if chosen := self.nodes.get(self.picture.focus):
            # Under the lines, which would seem to end at its edges.
            parts.append(self._box(chosen, "sel"))
        parts += [self._line(line) for line in lines]
        parts += [self._node(node) for column in self.graph.columns for node in column]
        if not self.picture.alone:
            return (
                f'<svg class="topo" viewBox="0 0 {self.width} {height:.0f}" width="{self.width}" height="{height:.0f}" '
                f'role="group" aria-label="{escape(self.picture.label)}">{"".join(parts)}</svg>'
            )
        hues = "".join(f".hue-{number}{{--c:{colour}}}" for number, colour in enumerate(HUES))
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" class="topo" viewBox="0 0 {self.width} {height:.0f}" '
            f'width="{self.width}" height="{height:.0f}" role="img"><title>{escape(self.picture.label)}</title>'
            f"<style>{hues}{ALONE}</style>{''.join(parts)}</svg>\n"
        )

    def _head(self, column: int) -> str:
        anchor = ("end", "middle", "middle", "start")[column]
        x = self.x[column] - (2 if column == SOURCES else 0)
        return f'<text class="col" x="{x:g}" y="16" text-anchor="{anchor}">{escape(self.picture.heads[column])}</text>'

    def _is_live(self, key: str) -> bool:
        return self.picture.live is None or key in self.picture.live

    def _lit(self, line: Line) -> bool:
        return self._is_live(line.start) and self._is_live(line.end)

    def _line(self, line: Line) -> str:
        start = self.nodes[line.start].column
        x0, x1 = (
            self.x[start] + (12 if start == SOURCES else 0),
            self.x[start + 1] - (10 if start == RULES else 0),
        )
        y0, y1, middle = self.y[line.start], self.y[line.end], (x0 + x1) / 2
        path = f'd="M{x0:g},{y0:.1f}C{middle:g},{y0:.1f} {middle:g},{y1:.1f} {x1:g},{y1:.1f}"'
        dim = "" if self._lit(line) else " dim"
        drawn = f'<path class="ln{_hue(line.hue)}{dim}" stroke-width="{width_of(line.rate):.1f}" {path}/>'
        if line.status:
            drawn += f'<path class="ln fail {line.status}{dim}" {path}/>'
        return drawn

    def _node(self, node: Node) -> str:
        y, dim = self.y[node.key], "" if self._is_live(node.key) else " dim"
        kind = " many" if node.many else ""
        chosen = " on" if node.key == self.picture.focus else ""
        body = (self._source, self._type, self._rule, self._target)[node.column](node, self.x[node.column], y)
        group = f'class="nd{_hue(node.hue)}{kind}{dim}{chosen}"'
        hit = self._box(node, "hit")
        if self.picture.alone or not node.href:
            return f"<g {group}>{hit}{body}</g>"
        current = ' aria-current="true"' if chosen else ""
        title = f"<title>{escape(node.told)}</title>"
        return (
            f'<a {group} id="{escape(node.key)}" href="{escape(node.href)}" aria-label="{escape(node.told)}"{current}>'
            f"{title}{hit}{body}</a>"
        )

    def _box(self, node: Node, kind: str) -> str:
        """The place that can be pressed, at least 24 pixels high; marked when it is in focus."""
        x, y, column = self.x[node.column], self.y[node.key], node.column
        high = 13 if self.crowded else 21
        if column == SOURCES:
            left, right = 4.0, x + 22
        elif column == TARGETS:
            left, right = x - 20, self.width - 2.0
        else:
            left, right = x - 84, x + 84
        if column in (TYPES, RULES):
            y -= 0 if self.crowded else (3 if column == TYPES else 6)
        return f'<rect class="{kind}" x="{left:g}" y="{y - high:.1f}" width="{right - left:g}" height="{2 * high}" rx="8"/>'

    def _label(self, node: Node, x: float, y: float, anchor: str, kind: str = "nm") -> str:
        name = shortened(node.name, LONGEST[self.columns][node.column])
        return f'<text class="{kind}" x="{x:g}" y="{y:.1f}" text-anchor="{anchor}">{escape(name)}</text>'

    def _below(self, text: str, x: float, y: float, anchor: str) -> str:
        return (
            f'<text class="sb" x="{x:g}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
            if text
            else ""
        )

    def _source(self, node: Node, x: float, y: float) -> str:
        return (
            f'<circle class="term" cx="{x + 12:g}" cy="{y:.1f}" r="5.5"/>'
            + self._label(node, x - 2, y - 1, "end")
            + self._below(node.below, x - 2, y + 13, "end")
        )

    def _type(self, node: Node, x: float, y: float) -> str:
        mono = "nm" if node.many else "mono nm"
        mark = "" if node.status in ("", "ok") else SHAPES[node.status].format(x=x + 15, y=y, up=y - 5.5)
        station = f'<circle class="stn" cx="{x:g}" cy="{y:.1f}" r="{8 if node.many else 5.5}"/>'
        if node.many:
            station += f'<circle class="stn" cx="{x:g}" cy="{y:.1f}" r="3.5"/>'
        if self.crowded:
            # One line above the station: the rate would meet the next name.
            return station + mark + self._label(node, x, y - 10, "middle", mono)
        below = " · ".join(part for part in (node.below, node.word) if part)
        return (
            station
            + mark
            + self._label(node, x, y - (14 if node.many else 11), "middle", mono)
            + self._below(below, x, y + (20 if node.many else 18), "middle")
        )

    def _rule(self, node: Node, x: float, y: float) -> str:
        return (
            f'<rect class="jn" x="{x - 5:g}" y="{y - 5:.1f}" width="10" height="10" rx="2" '
            f'transform="rotate(45 {x:g} {y:.1f})"/>'
            + self._label(node, x, y - (11 if self.crowded else 13), "middle")
            + (self._below(node.below, x, y + 18, "middle") if node.many and not self.crowded else "")
        )

    def _target(self, node: Node, x: float, y: float) -> str:
        shape = SHAPES[node.status].format(x=x + 6, y=y - 4, up=y - 9.5) if node.status else ""
        return (
            f'<rect class="plat" x="{x - 12:g}" y="{y - 13:.1f}" width="5" height="26" rx="2"/>'
            + shape
            + self._label(node, x + 18, y, "start")
            + self._below(shortened(node.below, 26), x + 18, y + 14, "start")
        )


def shortened(name: str, longest: int) -> str:
    """A name of at most `longest` characters; what is left out, is left out of the middle, for ends tell names apart."""
    if len(name) <= longest:
        return name
    head = (longest - 1) // 2
    return f"{name[:head]}…{name[len(name) - (longest - 1 - head) :]}"


def _hue(hue: int | None) -> str:
    return "" if hue is None else f" hue-{hue}"
