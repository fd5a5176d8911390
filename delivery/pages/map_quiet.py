"""What the map says of event types and sources from which nothing came in the last minutes: silent, or as usual."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _

from catalog.display import words
from delivery.tracking.read import now
from delivery.tracking.rhythm import Rhythm
from delivery.tracking.status import Status


class Quiet(NamedTuple):
    """`said`: in two or three words.  `why`: what it is judged by, "" where there is nothing to judge."""

    said: str
    why: str
    is_silent: bool

    @property
    def status(self) -> Status | None:
        """Its shape and word where it is silent."""
        return Status("idle", self.said) if self.is_silent else None

    @property
    def note(self) -> str:
        """What to say beside the status, if any."""
        return self.why if self.is_silent else self.sentence

    @property
    def sentence(self) -> str:
        """Both."""
        both = _("%(said)s, %(why)s") if self.why else "%(said)s"
        return both % {"said": self.said, "why": self.why}


def quiet(rhythm: Rhythm | None) -> Quiet:
    """What to say of something with that rhythm, None for what never came, that has no events just now."""
    if rhythm is None:
        return Quiet(_("no events yet"), "", False)
    at = now()
    passed = {"time": _time(at - rhythm.last)}
    if not rhythm.pause:
        return Quiet(_("last %(time)s ago") % passed, _("it came once"), False)
    pause = {"pause": _time(rhythm.pause)}
    if rhythm.is_silent(at):
        why = _("before that its events came at most %(pause)s apart")
        return Quiet(_("silent for %(time)s") % passed, why % pause, True)
    return Quiet(_("last %(time)s ago") % passed, _("its events come up to %(pause)s apart") % pause, False)


def _time(microseconds: int) -> str:
    # What is counted by the minute says no more than that.
    return words.duration(max(microseconds / 1000, 60_000))
