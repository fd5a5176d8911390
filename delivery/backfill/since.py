"""Where in the log a starting position is."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.translation import gettext as _

from delivery.log.interface import open_log
from delivery.tracking.read import rows
from rules.registry import Since


class NotInThePast(ValueError):
    """A starting position that no kept event can have: a time to come, a seq that was not given yet."""


def position(since: Since, bus: int) -> int:
    """The seq before the first event of `bus` to take; the log's head for "now".

    What retention has dropped cannot come back: an older position becomes the oldest event kept. Raises NotInThePast.
    """
    head = open_log().head()
    if since == "now":
        return head
    kept_from = _floor(bus)
    if since == "beginning":
        return min(kept_from, head)
    if isinstance(since, datetime):
        if since.tzinfo is None:
            raise NotInThePast(_("A time to start from needs its time zone, as in 2026-03-01T08:00:00Z."))
        if since > datetime.now(UTC):
            raise NotInThePast(_("%(time)s is still to come: name a time in the past.") % {"time": since})
        return max(kept_from, open_log().seek(int(since.timestamp() * 1_000_000)))
    if isinstance(since, bool) or not isinstance(since, int) or since < 1:
        raise NotInThePast(_("Start from “now”, “beginning”, a time, or an event's number from 1 on."))
    if since > head:
        raise NotInThePast(
            _("There is no event %(seq)s yet: the newest is %(head)s.") % {"seq": since, "head": head}
        )
    return max(kept_from, since - 1)


def _floor(bus: int) -> int:
    """The seq below the oldest event that `bus` may still hold."""
    found = rows(
        "SELECT (SELECT MAX(seq) FROM log_floor WHERE bus = %s), (SELECT MIN(seq) - 1 FROM log_event), "
        "(SELECT seq FROM log_head WHERE id = 1)",
        [bus],
    )
    dropped, before_first, head = found[0]
    return int(max(dropped or 0, head if before_first is None else before_first))
