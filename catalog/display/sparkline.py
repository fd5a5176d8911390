"""Sparklines: small SVG lines made on the server, coloured by a class, sized by CSS."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT, TOP, POINTS = 220, 26, 2.0, 40


def thinned(values: Sequence[float], points: int = POINTS) -> list[float]:
    """At most `points` values: means of equal stretches, so that a long series keeps its shape."""
    if len(values) <= points:
        return list(values)
    edges = [round(index * len(values) / points) for index in range(points + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]


def spark(values: Sequence[float], hue: int | None, label: str) -> SafeString:
    """An `<svg class="spark">` of `values`, oldest first; a dashed line when nothing happened."""
    shade = "" if hue is None else f" hue-{hue}"
    if not any(values):
        body = mark_safe(f'<path class="none" d="M0,{HEIGHT / 2}H{WIDTH}"/>')
    else:
        shown = thinned(values)
        highest = max(shown)
        step = WIDTH / max(len(shown) - 1, 1)
        line = "L".join(
            f"{index * step:.1f},{HEIGHT - 2 - (HEIGHT - 2 - TOP) * value / highest:.1f}"
            for index, value in enumerate(shown)
        )
        body = mark_safe(
            f'<path class="a" d="M{line}L{WIDTH},{HEIGHT}L0,{HEIGHT}Z"/><path class="l" d="M{line}"/>'
        )
    return format_html(
        '<svg class="spark low{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        shade,
        WIDTH,
        HEIGHT,
        label,
        body,
    )
