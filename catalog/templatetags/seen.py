"""What was really seen of a field, in one cell of a table: how often it came, and its values in small."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import spread, words
from catalog.display.json_text import visible
from catalog.schemas.shape import Row
from catalog.schemas.shape.rows import TOP
from catalog.seen import FieldRow, words_of

register = template.Library()

EXAMPLES, LONGEST = 2, 28


@register.simple_tag
def presence(line: FieldRow, sampled: int) -> SafeString:
    """How often a field came: "100%", "4%" or "never"; nothing when no event was looked at."""
    if not sampled:
        return mark_safe("")
    if line.row is None:
        return format_html('<span class="faint">{}</span>', _("never"))
    return format_html('<span class="num">{}</span>', words.share(min(line.row.share, 1.0)))


@register.simple_tag
def seen_values(line: FieldRow) -> SafeString:
    """A field's values: the most frequent with their shares, numbers as a histogram, else a few examples."""
    row = line.row
    if line.personal or (row is not None and row.private):
        return format_html('<span class="faint">{}</span>', _("hidden: personal data"))
    return mark_safe("") if row is None else _values(row)


def _values(row: Row) -> SafeString:
    kinds = dict(row.kinds)
    # Values of which none came twice are no distribution.
    if row.top and not row.many and row.top[0][1] * row.count >= 1.5:
        return _texts(row)
    if row.true_share is not None:
        parts = sorted((("true", row.true_share), ("false", 1 - row.true_share)), key=lambda one: -one[1])
        return spread.shares([part for part in parts if part[1]], _("Share of true and false"))
    if row.buckets:
        return _numbers(row)
    if row.lengths is not None and "array" in kinds:
        least, most = row.lengths
        shown = ngettext("%(n)s entry", "%(n)s entries", most) % {
            "n": words.number(most) if least == most else f"{words.number(least)}–{words.number(most)}"
        }
        return format_html('<span class="muted">{}</span>', shown)
    if row.examples:
        return _examples(row)
    if row.names:
        return format_html(
            '<span class="muted">{}</span>', _("about %(n)s names") % {"n": words.number(row.names)}
        )
    if set(kinds) == {"null"}:
        return format_html('<span class="muted mono">null</span>')
    return mark_safe("")


def _texts(row: Row) -> SafeString:
    hidden = len(row.top) - spread.PARTS
    rest = ""
    if len(row.top) == TOP:
        rest = _("others")
    elif hidden > 0:
        rest = ngettext("%(n)s more", "%(n)s more", hidden) % {"n": hidden}
    label = ", ".join(f"{visible(text[:LONGEST])} {words.share(share)}" for text, share in row.top)
    return spread.shares([(_short(text) or "“”", share) for text, share in row.top], label, rest)


def _numbers(row: Row) -> SafeString:
    if row.least is None or row.greatest is None:
        return mark_safe("")
    if row.least == row.greatest:
        return format_html(
            '<span class="num muted">{}</span>', _("always %(value)s") % {"value": words_of(row.least)}
        )
    middle = _middle(row)
    # A median is an estimate, and may be a little beyond the ends.
    inside = row.least if middle is None else min(max(middle, row.least), row.greatest)
    least, shown, greatest = words.alike(row.least, inside, row.greatest)
    bounds = {"least": least, "greatest": greatest}
    drawn = spread.histogram(row.buckets, _("%(least)s to %(greatest)s") % bounds)
    about = _("%(least)s–%(greatest)s, median about %(middle)s") % (
        bounds | {"middle": "–" if middle is None else shown}
    )
    return format_html('<span class="spread">{}<span>{}</span></span>', drawn, about)


def _middle(row: Row) -> float | None:
    """The median, whole where all numbers are."""
    whole = isinstance(row.least, int) and isinstance(row.greatest, int)
    return round(row.middle) if row.middle is not None and whole else row.middle


def _examples(row: Row) -> SafeString:
    shown = ", ".join(_short(words_of(value)) for value in row.examples[:EXAMPLES])
    more = ", …" if row.many or len(row.examples) > EXAMPLES else ""
    return format_html('<span class="mono faint wraps">{}{}</span>', shown, more)


def _short(text: str) -> str:
    return visible(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


@register.filter
def share(value: float) -> str:
    """A share of 1 in per cent."""
    return words.share(value)


@register.filter
def shown(value: float) -> str:
    """A number as text, for sentences: 1,334, 1.92 million."""
    return words.number(value)
