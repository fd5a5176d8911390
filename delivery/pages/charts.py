"""Charts as SVG made on the server: counts as bars, durations as lines on a log scale. Sized and coloured by CSS."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import NamedTuple

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.display import words
from delivery.pages.stretch import DAY, Stretch
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


def deliveries(
    slots: Sequence[Delivered], stretch: Stretch, label: str, began: tuple[int, str] | None = None
) -> SafeString:
    """Delivered above; retried and dead below on a scale of their own, so that 20 failures in 4,600 are seen.

    `began`: the minute in which some trouble began, and what is written there.
    """
    gap = (BARS.right - BARS.left) / len(slots)
    width = max(gap * 0.9, 0.6)
    highest = _nice(max((slot.delivered for slot in slots), default=0))
    worst = _nice(max((slot.retried + slot.dead for slot in slots), default=0))
    parts = [_trouble(slots, stretch, *began)] if began else []
    parts += [_grid(BARS, 14, 142, highest), _grid(BARS, 165, 212, worst, ends_only=True)]
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
    parts.append(_times(BARS, stretch, len(slots), 230))
    said = _("%(delivered)s delivered, %(retried)s retried, %(dead)s given up")
    return _pointed(
        _svg(BARS, label, parts),
        BARS,
        stretch,
        [
            said
            % {
                "delivered": words.number(slot.delivered),
                "retried": words.number(slot.retried),
                "dead": words.number(slot.dead),
            }
            for slot in slots
        ],
    )


def _trouble(slots: Sequence[Delivered], stretch: Stretch, minute: int, text: str) -> str:
    """The ground behind the bars since that minute, and the words beside its edge."""
    slot = (minute - stretch.first) // stretch.step
    x = BARS.left + (BARS.right - BARS.left) * slot / len(slots)
    right = x < BARS.width / 2
    return (
        f'<rect class="trouble" x="{x:.1f}" y="6" width="{BARS.right - x:.1f}" height="206"/>'
        f'<text class="trouble" x="{x + (6 if right else -6):.1f}" y="158" '
        f'text-anchor="{"start" if right else "end"}">{escape(text)}</text>'
    )


def time_to_deliver(slots: Sequence[Delivered], stretch: Stretch, label: str) -> SafeString:
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
    parts.append(_times(LINES, stretch, len(slots), 232, labels=3))
    said = _("median %(median)s, p95 %(p95)s")
    return _pointed(
        _svg(LINES, label, parts),
        LINES,
        stretch,
        [
            said % {"median": words.duration(median), "p95": words.duration(slow)}
            for median, slow in zip(medians, slowest, strict=True)
        ],
    )


def _pointed(svg: SafeString, frame: Frame, stretch: Stretch, said: Sequence[str]) -> SafeString:
    """A chart that tells what is under the pointer (static/js/time-chart.js): what it says of each bar, and where its events are."""
    names = _names(stretch, len(said) + 1)
    points = [
        f"{begins} – {until}: {words_}" if stretch.step > 1 else f"{begins}: {words_}"
        for begins, until, words_ in zip(names, names[1:], said, strict=False)
    ]
    return format_html(
        '<time-chart data-first="{}" data-step="{}" data-left="{}" data-right="{}" data-find="{}" data-said="{}">{}</time-chart>',
        stretch.first,
        stretch.step,
        f"{100 * frame.left / frame.width:.3f}",
        f"{100 * frame.right / frame.width:.3f}",
        reverse("find"),
        json.dumps(points, ensure_ascii=False),
        svg,
    )


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
        parts.append(_label(frame.left - 8, y + 4, words.short(highest * share), "end"))
    return "".join(parts)


def _times(frame: Frame, stretch: Stretch, count: int, y: float, labels: int = 5) -> str:
    parts = []
    labels = min(labels, count)
    for number in range(labels):
        slot = round(number * count / labels)
        x = frame.left + (frame.right - frame.left) * slot / count
        minute = stretch.first + slot * stretch.step
        parts.append(_label(x, y, _day(minute) if stretch.long else _clock(minute), "start"))
    last = stretch.last + 1
    ends = _("now") if stretch.open else _day(last) if stretch.long else _clock(last)
    parts.append(_label(frame.right, y, ends, "end"))
    return "".join(parts)


def _names(stretch: Stretch, count: int) -> list[str]:
    """When each of so many bars begins. A day is put into words once: that is what takes time."""
    minutes = [stretch.first + number * stretch.step for number in range(count)]
    if not stretch.long:
        return [_clock(minute) for minute in minutes]
    days = {minute // DAY: minute for minute in minutes}
    said = {day: _day(minute) for day, minute in days.items()}
    if stretch.step % DAY == 0:
        return [said[minute // DAY] for minute in minutes]
    return [f"{said[minute // DAY]} {_clock(minute)}" for minute in minutes]


def _clock(minute: int) -> str:
    return moment(minute * MINUTE).strftime("%H:%M")


def _day(minute: int) -> str:
    return date_format(moment(minute * MINUTE), _("d M"))


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
