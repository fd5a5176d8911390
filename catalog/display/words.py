"""Numbers, durations and moments as people read them (design system §8)."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

MILLION = 1_000_000
MYRIAD, MYRIADS = 10_000, 100_000_000


def number(value: float | None) -> str:
    """`1,334`, `3.1`, `0.04`, `1.92 million`, in Chinese `192 万`; an en dash for None."""
    if value is None:
        return "–"
    if abs(value) >= MILLION:
        return _large(value, 2)
    if isinstance(value, int) or value == int(value) or abs(value) >= 10:
        return number_format(round(value), use_l10n=True, force_grouping=True)
    places = 1 if abs(value) >= 0.1 else 2
    return number_format(value, decimal_pos=places, use_l10n=True)


def short(value: float) -> str:
    """A number where there is little room, at an axis: `800`, `6k`, `1.5M`, in Chinese `6,000`, `1.5 万`."""
    if by_myriads():
        return (
            _large(value, 1) if value >= MYRIAD else number_format(value, use_l10n=True, force_grouping=True)
        )
    for size, letter in ((1_000_000_000, "G"), (MILLION, "M"), (1000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def by_myriads() -> bool:
    """Whether the language that is spoken counts large numbers by ten thousands."""
    return (get_language() or "").startswith(("zh", "ja", "ko"))


def _large(value: float, places: int) -> str:
    """`1.92 million`; where one counts by ten thousands, `192 万` and `1.92 亿`."""
    if not by_myriads():
        return _("%(number)s million") % {"number": _rounded(value / MILLION, places)}
    if abs(value) >= MYRIADS:
        return _("%(number)s hundred million") % {"number": _rounded(value / MYRIADS, places)}
    return _("%(number)s ten thousand") % {"number": _rounded(value / MYRIAD, places)}


def _rounded(value: float, places: int) -> str:
    shown = round(value, places)
    whole = shown == int(shown)
    return number_format(int(shown) if whole else shown, use_l10n=True, force_grouping=True)


def rate(value: float) -> str:
    """`84/min`."""
    return _("%(n)s/min") % {"n": number(value)}


def alike(*values: float) -> list[str]:
    """Numbers of one range, least first, with as many decimals as tell its ends apart: `59.31`, `59.36`; `12`, `1,334`."""
    apart = values[-1] - values[0]
    if apart <= 0 or apart >= 10 or all(isinstance(value, int) for value in values):
        return [number(value) for value in values]
    places = min(max(1 - math.floor(math.log10(apart)), 1), 8)
    return [number_format(value, decimal_pos=places, use_l10n=True, force_grouping=True) for value in values]


def share(value: float) -> str:
    """A share of 1 in per cent: `58%`, `0.4%`, `99.98%`; never 0% for some nor 100% for not all."""
    percent = value * 100
    if percent in (0, 100):
        return f"{percent:.0f}%"
    if percent < 0.01:
        return "<0.01%"
    if percent > 99.99:
        return ">99.99%"
    if percent < 1 or percent > 99:
        return f"{percent:.2f}".rstrip("0").rstrip(".") + "%"
    return f"{percent:.0f}%"


def duration(milliseconds: float | None) -> str:
    """`0.4 ms`, `38 ms`, `1.2 s`, `13 min`, `2 h`, `3 days`; an en dash for None."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        shown = number(milliseconds) if milliseconds < 10 else number(round(milliseconds))
        return _("%(number)s ms") % {"number": shown}
    seconds = milliseconds / 1000
    if seconds < 60:
        return _("%(number)s s") % {"number": number(round(seconds, 1) if seconds < 10 else round(seconds))}
    if seconds < 3600:
        return _("%(number)s min") % {"number": number(round(seconds / 60))}
    if seconds < 48 * 3600:
        return _("%(number)s h") % {"number": number(round(seconds / 3600))}
    days = round(seconds / 86400)
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": number(days)}


def moment(value: datetime | int) -> datetime:
    """An aware UTC time, from a datetime or from microseconds since 1970."""
    if isinstance(value, int):
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=value)
    return value.astimezone(UTC) if timezone.is_aware(value) else value.replace(tzinfo=UTC)


def ago(value: datetime | int, now: datetime | None = None) -> str:
    """`12 seconds ago`, `in 5 minutes`: the same words as static/js/time-ago.js, which keeps them current."""
    seconds = (moment(value) - (now or timezone.now())).total_seconds()
    size = abs(int(seconds))
    if size >= 86400:
        count = size // 86400
        words = (
            ngettext("%d day ago", "%d days ago", count)
            if seconds < 0
            else ngettext("in %d day", "in %d days", count)
        )
    elif size >= 3600:
        count = size // 3600
        words = (
            ngettext("%d hour ago", "%d hours ago", count)
            if seconds < 0
            else ngettext("in %d hour", "in %d hours", count)
        )
    elif size >= 60:
        count = size // 60
        words = (
            ngettext("%d minute ago", "%d minutes ago", count)
            if seconds < 0
            else ngettext("in %d minute", "in %d minutes", count)
        )
    else:
        count = max(size, 1)
        words = (
            ngettext("%d second ago", "%d seconds ago", count)
            if seconds <= 0
            else ngettext("in %d second", "in %d seconds", count)
        )
    return words % count


def exact(value: datetime | int) -> str:
    """The instant to the millisecond in UTC, for titles: `2026-11-23 03:12:03.418 UTC`."""
    return moment(value).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
