"""Charts as SVG made on the server: counts as bars, durations as lines on a log scale. Sized and coloured by CSS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.display import words
from delivery.tracking.rates import Delivered
from delivery.tracking.read import MINUTE, moment


class Frame(NamedTuple):
    """The drawing area: x from `left` to `right`, `width` and `height` of the view box; `kind` is its CSS class."""

    width: int
    height: int
    left: float
    right: float
    kind: str


BARS = Frame(712, 236, 44, 708, "bars")
LINES = Frame(432, 236, 50, 426, "lines")


def deliveries(slots: Sequence[Delivered], first: int, step: int, label: str) -> SafeString:
    """Delivered above; retried and dead below on a scale of their own, so that 20 failures in 4,600 are seen."""
    gap = (BARS.right - BARS.left) / len(slots)
    width = max(gap * 0.9, 0.6)
    highest = _nice(max((slot.delivered for slot in slots), default=0))
    worst = _nice(max((slot.retried + slot.dead for slot in slots), default=0))
    parts = [_grid(BARS, 14, 142, highest), _grid(BARS, 165, 212, worst, ends_only=True)]
    for index, slot in enumerate(slots):
        x = BARS.left + index * gap + (gap - width) / 2
        if slot.delivered:
            height = max(128 * slot.delivered / highest, 1.6)
            parts.append(_rect("okc", x, 142 - height, width, height))
            parts.append(_rect("cap", x, 142 - height, width, 1.6))
        bottom = 212.0
        for kind, count in (("bad", slot.dead), ("warn", slot.retried)):
            if count:
                height = max(47 * count / worst, 1.5)
                bottom -= height
                parts.append(_rect(kind, x, bottom, width, height))
    parts.append(_times(BARS, first, step, len(slots), 230))
    return _svg(BARS, label, parts)


def time_to_deliver(slots: Sequence[Delivered], first: int, step: int, label: str) -> SafeString:
    """Median and 95th percentile per slot, from 1 ms up on a log scale."""
    medians = [slot.percentile(0.5) for slot in slots]
    slowest = [slot.percentile(0.95) for slot in slots]
    seen = [value for value in medians + slowest if value]
    low = 10 ** math.floor(math.log10(max(min(seen, default=1), 1)))
    high = 10 ** max(math.ceil(math.log10(max(*seen, low * 10, 10))), 1) if seen else 1000
    decades = max(round(math.log10(high / low)), 1)

    def y(value: float) -> float:
        return 214 - 204 * min(max(math.log10(max(value, low) / low) / decades, 0), 1)

    parts = []
    for power in range(decades + 1):
        at = y(low * 10**power)
        kind = "base" if power == 0 else "grid"
        parts.append(
            f'<line class="{kind}" x1="{LINES.left:g}" x2="{LINES.right:g}" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
        parts.append(_label(LINES.left - 8, at + 4, words.duration(low * 10**power), "end"))
    gap = (LINES.right - LINES.left) / max(len(slots) - 1, 1)
    for kind, values in (("l50", medians), ("l95", slowest)):
        parts.append(f'<path class="{kind}" d="{_path(values, gap, y)}"/>')
    parts.append(_times(LINES, first, step, len(slots), 232, labels=3))
    return _svg(LINES, label, parts)


def shares(taken: Sequence[int], all_of: Sequence[int], label: str, times: Sequence[str] = ()) -> SafeString:
    """Small bars: how many of all events in each stretch would have been taken; `times` stand below, evenly spread."""
    frame = Frame(640, 76 if times else 60, 0, 640, "shares")
    highest, gap = max([*all_of, 1]), 640 / max(len(all_of), 1)
    parts = []
    for index, (some, total) in enumerate(zip(taken, all_of, strict=True)):
        x = index * gap + gap * 0.07
        if total:
            parts.append(_rect("idle pale", x, 60 - 56 * total / highest, gap * 0.86, 56 * total / highest))
        if some:
            height = max(56 * some / highest, 1.5)
            parts.append(_rect("acc", x, 60 - height, gap * 0.86, height))
    for index, text in enumerate(times):
        anchor = "start" if index == 0 else "end" if index == len(times) - 1 else "middle"
        parts.append(_label(640 * index / (len(times) - 1), 74, text, anchor))
    return _svg(frame, label, parts)


def meter(percent: float) -> SafeString:
    """A bar that is filled to `percent`."""
    return format_html(
        '<svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="acc" width="{}" height="4"/></svg>',
        f"{percent:.0f}",
    )


def _svg(frame: Frame, label: str, parts: Sequence[str]) -> SafeString:
    return format_html(
        '<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        frame.kind,
        frame.width,
        frame.height,
        label,
        mark_safe("".join(parts)),
    )


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="1"/>'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _grid(frame: Frame, top: float, bottom: float, highest: int, ends_only: bool = False) -> str:
    parts = []
    for share in (0, 1) if ends_only or highest < 4 else (0, 0.5, 1):
        y = bottom - (bottom - top) * share
        kind = "base" if share == 0 else "grid"
        parts.append(
            f'<line class="{kind}" x1="{frame.left:g}" x2="{frame.right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(_label(frame.left - 8, y + 4, _short(highest * share), "end"))
    return "".join(parts)


def _times(frame: Frame, first: int, step: int, count: int, y: float, labels: int = 5) -> str:
    parts = []
    for number in range(labels):
        slot = round(number * count / labels)
        x = frame.left + (frame.right - frame.left) * slot / count
        parts.append(_label(x, y, moment((first + slot * step) * MINUTE).strftime("%H:%M"), "start"))
    parts.append(_label(frame.right, y, _("now"), "end"))
    return "".join(parts)


def _path(values: Sequence[float | None], gap: float, y: object) -> str:
    assert callable(y)
    path, drawing = "", False
    for index, value in enumerate(values):
        if value is None:
            drawing = False
            continue
        x = LINES.left + index * gap
        # A lone point is drawn as a short dash: a line of one point shows nothing.
        lone = not drawing and (index + 1 == len(values) or values[index + 1] is None)
        path += f"{'L' if drawing else 'M'}{x:.1f},{y(value):.1f}" + ("h2" if lone else "")
        drawing = True
    return path or "M0,0"


def _nice(value: int) -> int:
    """The next round number: 1, 2, 4, 6, 8 or 10 times a power of ten."""
    if value <= 4:
        return max(value, 1)
    power = 10 ** (len(str(value)) - 1)
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
