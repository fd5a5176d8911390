"""A retry policy in words: how many tries, when the first five come, when it gives up."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import words
from rules.retries import PRESETS, Retries, Try, ending, plan

SHOWN = 5


class Tries(NamedTuple):
    """What a policy means. `tries`: the first five, each as number and time after the first; `rest`: what the age
    leaves out, "" where it ends nothing; `asked`: of Retry-After.
    """

    headline: str
    tries: list[tuple[int, str]]
    end: str
    rest: str
    asked: str


def in_words(retries: Retries) -> Tries:
    """What a policy means when every attempt fails at once."""
    ends = ending(retries)
    if ends.fewest < ends.most:
        headline = _("%(fewest)s to %(most)s tries.") % {
            "fewest": words.number(ends.fewest),
            "most": words.number(ends.most),
        }
    else:
        headline = ngettext("%(n)s try.", "%(n)s tries.", ends.most) % {"n": words.number(ends.most)}
    rest = ""
    if ends.by_age:
        age = {"age": _seconds(retries.max_age)}
        end = _("Given up when the next try would come more than %(age)s after the first.") % age
        rest = _("Time at rest (paused, stopped, breaker open) does not count.")
    elif ends.most > 1:
        end = _("Given up %(latest)s after the first try, at the latest.") % {"latest": _seconds(ends.latest)}
    else:
        end = _("Given up at once.")
    if retries.longest_asked:
        asked = _("A target that asks for more time (Retry-After) gets it, up to %(longest)s.") % {
            "longest": _seconds(retries.longest_asked)
        }
    else:
        asked = _("What a target asks for with Retry-After is not followed.")
    return Tries(
        headline, [(one.number, _when(one)) for one in islice(plan(retries), SHOWN)], end, rest, asked
    )


def label_of(preset: str) -> str:
    """What a preset is called; "own values" for none."""
    return next((one.label for one in PRESETS if one.name == preset), _("own values"))


def _when(one: Try) -> str:
    if one.number == 1:
        return _("at once")
    if one.earliest == one.latest:
        return _("after %(time)s") % {"time": _seconds(one.earliest)}
    least, most = _seconds(one.earliest), _seconds(one.latest)
    return _("after %(least)s to %(most)s") % {"least": least, "most": most}


def _seconds(seconds: float) -> str:
    return words.duration(seconds * 1000) if seconds else _("0 s")
