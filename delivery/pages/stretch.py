"""The stretch of time that a page of figures shows: one of the usual ones, all that is kept, or from one moment to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django import forms
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.forms.console import ConsoleFields
from delivery.log.retention import MINUTES_KEPT
from delivery.tracking import rates
from delivery.tracking.read import MINUTE, moment

DAY = 1440  # minutes
# A chart has so many bars at most; with more of them none can be told from the next.
MOST = 200
# Stretches longer than this are read from the counts per day: a bar stands for a day at least.
BY_DAY = 45 * DAY
# What a bar may stand for, in minutes: parts of a day, so that bars begin on the hour; then days and weeks.
STEPS = (1, 5, 10, 20, 30, 60, 120, 180, 240, 360, 720, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY)
SHORTEST = 15
WRITTEN = "%Y-%m-%dT%H:%M"
# By their names in the query: label and minutes. "all" is as long as there are counts.
RANGES: dict[str, tuple[str | Promise, int]] = {
    "15m": (gettext_lazy("15 min"), 15),
    "1h": (gettext_lazy("1 h"), 60),
    "6h": (gettext_lazy("6 h"), 360),
    "24h": (gettext_lazy("24 h"), DAY),
    "7d": (gettext_lazy("7 d"), 7 * DAY),
    "30d": (gettext_lazy("30 d"), 30 * DAY),
    "all": (gettext_lazy("All"), 0),
}
DEFAULT = "1h"


@dataclass(frozen=True)
class Stretch:
    """Minutes `first` to `last` since 1970, both inclusive, in bars of `step` minutes; whole bars.

    `name` is that of RANGES, "" for one from a moment to another. `label` is short, `said` goes into a sentence:
    "in the last 1 h". `open`: it ends now, so its last bar still grows.
    """

    name: str
    label: str
    said: str
    first: int
    last: int
    step: int
    open: bool = True

    @property
    def minutes(self) -> int:
        """How long it is."""
        return self.last - self.first + 1

    @property
    def query(self) -> str:
        """What leads to it: `range=6h`."""
        return (
            f"range={self.name}" if self.name else f"from={written(self.first)}&to={written(self.last + 1)}"
        )

    @property
    def per(self) -> str:
        """What a bar stands for, in words."""
        if self.step == 1:
            return _("per minute")
        if self.step % DAY == 0:
            days = self.step // DAY
            return _("per day") if days == 1 else _("per %(n)s days") % {"n": days}
        if self.step % 60 == 0:
            hours = self.step // 60
            return _("per hour") if hours == 1 else _("per %(n)s hours") % {"n": hours}
        return _("per %(n)s minutes") % {"n": self.step}

    @property
    def long(self) -> bool:
        """Whether its bars need dates to be told apart, and not the time of the day alone."""
        return self.minutes > DAY

    def running(self, at: int) -> float:
        """The share of the last bar that has passed at the instant `at` (microseconds)."""
        return (
            min((at - (self.last + 1 - self.step) * MINUTE) / (self.step * MINUTE), 1.0) if self.open else 1.0
        )


def named(name: str, at: int) -> Stretch:
    """The stretch of RANGES with that name that ends at the instant `at` (microseconds)."""
    label, minutes = RANGES[name]
    said = _("in the last %(range)s") % {"range": label}
    if not minutes:
        first = rates.first_minute()
        minutes = max(rates.minute_of(at) - first + 1 if first is not None else 0, SHORTEST)
        said = _("in all that is kept")
    step = _step(minutes, MOST)
    last = rates.last_minute(at, step)
    whole = -(-minutes // step) * step
    return Stretch(name, str(label), said, last - whole + 1, last, step)


class OwnRange(ConsoleFields, forms.Form):
    """From one moment to another, in UTC: `from` and `to` of the query. Without an end, up to now."""

    def __init__(self, data: Mapping[str, str] | None, at: int) -> None:
        self.at = at
        super().__init__(data, auto_id="range-%s")
        for name, label in (("from", _("From (UTC)")), ("to", _("To (UTC)"))):
            widget = forms.DateTimeInput({"type": "datetime-local", "class": "mono"}, WRITTEN)
            self.fields[name] = forms.DateTimeField(label=label, widget=widget, required=False)
        self.dress()

    def clean(self) -> dict[str, datetime]:
        """Refuses what would show nothing: the end before the beginning, and what is yet to come."""
        asked = super().clean() or {}
        begins, ends = asked.get("from"), asked.get("to")
        if "from" in self.errors or "to" in self.errors:
            return asked
        if begins is None:
            self.add_error("from", _("Say from when."))
        elif begins >= moment(self.at):
            self.add_error("from", _("This is yet to come."))
        elif ends is not None and ends - begins < timedelta(minutes=SHORTEST):
            self.add_error("to", _("Choose an end at least 15 minutes after the beginning."))
        return asked

    def asked_for(self) -> Stretch:
        """What was asked for by a valid form, in whole bars."""
        begins, ends = self.cleaned_data["from"], self.cleaned_data["to"] or moment(self.at)
        return between(int(begins.timestamp()) // 60, int(ends.timestamp()) // 60, self.at)


def between(begins: int, ends: int, at: int) -> Stretch:
    """From minute `begins` to before minute `ends`, cut off at the instant `at` and widened to whole bars."""
    old = begins < rates.minute_of(at) - (MINUTES_KEPT - 1) * DAY
    ends = min(ends, rates.minute_of(at) + 1)
    step = _step(max(ends - begins, SHORTEST), MOST, 5 if old else 1)
    first = begins // step * step
    last = max(-(-ends // step) * step, first + step) - 1
    said = _("from %(from)s to %(to)s") % {"from": told(first), "to": told(last + 1)}
    return Stretch(
        "", f"{told(first)} – {told(last + 1)}", said, first, last, step, last >= rates.minute_of(at)
    )


def chosen(query: Mapping[str, str], at: int) -> tuple[Stretch, OwnRange]:
    """The stretch that a query asks for, and the form of its own dates; DEFAULT for what is no range."""
    own = any(query.get(name, "").strip() for name in ("from", "to"))
    form = OwnRange(query if own else None, at)
    if own and form.is_valid():
        return form.asked_for(), form
    name = query.get("range", DEFAULT)
    return named(name if name in RANGES else DEFAULT, at), form


def written(minute: int) -> str:
    """A minute as a query has it: `2026-11-27T03:00`."""
    return moment(minute * MINUTE).strftime(WRITTEN)


def told(minute: int) -> str:
    """A minute as people read it: `27 Nov 03:00`."""
    when = moment(minute * MINUTE)
    this_year = when.year == datetime.now(UTC).year
    return date_format(when, _("d M H:i") if this_year else _("d M Y H:i"))


def _step(minutes: int, most: int, least: int = 1) -> int:
    """The shortest step of which at most `most` make up `minutes`."""
    least = DAY if minutes > BY_DAY else least
    for step in STEPS:
        # A bar per minute for an hour or two; the hours of a day are counted by fives, which costs a fifth.
        if step >= least and minutes / step <= (most if step > 1 else 120):
            return step
    return STEPS[-1]
