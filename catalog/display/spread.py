"""How values and days are spread, as tiny SVGs made on the server: coloured by CSS classes, sized by CSS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from catalog.display import words
from catalog.display.json_text import visible
from catalog.schemas.shape.numbers import Bucket

BAR, BAR_HEIGHT, PARTS = 200, 4, 3
HISTOGRAM, HISTOGRAM_HEIGHT = 120, 18
DAYS, DAYS_HEIGHT = 360, 64


def shares(parts: Sequence[tuple[str, float]], label: str, rest: str = "") -> SafeString:
    """A bar cut by share (0 to 1), and below it the first few values with theirs. `rest` names all others, if any."""
    shown, x, rects = list(parts[:PARTS]), 0.0, []
    left = max(1.0 - sum(share for _, share in shown), 0.0)
    for place, share in enumerate([*(share for _, share in shown), *([left] if rest and left else [])]):
        width = max(share * BAR - 1, 0.6)
        rects.append(
            f'<rect class="p{min(place, 2)}" x="{x:.1f}" width="{width:.1f}" height="{BAR_HEIGHT}"/>'
        )
        x += share * BAR
    names = format_html_join(
        "",
        '<li><span class="mono" title="{}">{}</span> <span class="num">{}</span></li>',
        ((visible(name), visible(name), words.share(share)) for name, share in shown),
    )
    if rest:
        names += format_html("<li>{}</li>", rest)
    return format_html(
        '<span class="dist"><svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg><ul>{}</ul></span>',
        BAR, BAR_HEIGHT, label, mark_safe("".join(rects)), names,
    )  # fmt: skip


def histogram(buckets: Sequence[Bucket], label: str) -> SafeString:
    """Bars side by side, one per bucket: buckets grow with their numbers, so their widths say nothing."""
    highest = max((bucket.count for bucket in buckets), default=0)
    if not highest:
        return mark_safe("")
    step = min(HISTOGRAM / len(buckets), 12)
    rects = "".join(
        f'<rect x="{place * step:.1f}" y="{HISTOGRAM_HEIGHT - height:.1f}" width="{max(step - 1, 1):.1f}" height="{height:.1f}"/>'
        for place, bucket in enumerate(buckets)
        if (height := max((HISTOGRAM_HEIGHT - 1) * bucket.count / highest, 0.8 if bucket.count else 0))
    )
    width = step * len(buckets)
    return format_html(
        '<svg class="hist" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        f"{width:.0f}", HISTOGRAM_HEIGHT, f"{width:.0f}", HISTOGRAM_HEIGHT, label, mark_safe(rects),
    )  # fmt: skip


def by_day(counts: Sequence[tuple[date, int, int]], label: str) -> SafeString:
    """Bars of (day, refused, accepted), oldest first, the refused ones below; each says its day and count on hover."""
    highest = max((refused + accepted for _, refused, accepted in counts), default=0) or 1
    step = DAYS / max(len(counts), 1)
    bars = []
    for place, (day, refused, accepted) in enumerate(counts):
        bottom = float(DAYS_HEIGHT)
        drawn = []
        for kind, count in (("bad", refused), ("warn", accepted)):
            if count:
                height = max((DAYS_HEIGHT - 2) * count / highest, 1.5)
                bottom -= height
                drawn.append(
                    f'<rect class="{kind}" x="{place * step + 1:.1f}" y="{bottom:.1f}" width="{step - 2:.1f}" height="{height:.1f}"/>'
                )
        if not drawn:
            drawn.append(
                f'<rect class="none" x="{place * step + 1:.1f}" y="{DAYS_HEIGHT - 1}" width="{step - 2:.1f}" height="1"/>'
            )
        title = f"{date_format(day, 'j M')}: {words.number(refused + accepted)}"
        bars.append(format_html("<g><title>{}</title>{}</g>", title, mark_safe("".join(drawn))))
    return format_html(
        '<svg class="by-day" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        DAYS, DAYS_HEIGHT, label, mark_safe("".join(bars)),
    )  # fmt: skip
