"""What a changed filter would have done to past events, for the rule editor to ask before it saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import EventType
from delivery.pages import samples
from delivery.pages.samples import Seen
from delivery.pages.veil import veiled
from rules.contract import Contract
from rules.engine import Filter, compile
from rules.filtering import types_of
from rules.outputs import try_outputs
from rules.past import Difference, PastEvent

SHOWN = 6
BEFORE, AFTER = 0, 1


class LogPast:
    """Answers `rules.past` from the log."""

    def difference(self, bus: int, before: Filter, after: Filter) -> Difference:
        """Both filters at once over the last 7 days, at most 10,000 events."""
        types = types_of([before, after])
        found = samples.take(bus, types, "week")
        both = compile([(BEFORE, before), (AFTER, after)])
        gained: list[Seen] = []
        lost: list[Seen] = []
        kept = 0
        for seen in found.events:
            taken = both.match(seen.event)
            if taken == [BEFORE, AFTER]:
                kept += 1
            elif taken == [AFTER]:
                gained.append(seen)
            elif taken == [BEFORE]:
                lost.append(seen)
        return Difference(
            len(found.events), found.span, kept, len(gained), len(lost), _told(gained), _told(lost)
        )

    def unfit(
        self, bus: int, one: Filter, transform: dict[str, Any], contract: Contract, structured: bool
    ) -> str:
        """The latest 2,000 events, as many as half a second suffices for."""
        matching = compile([(AFTER, one)])
        latest = samples.take(bus, types_of([one])).events
        taken = [seen for seen in latest if matching.match(seen.event)]
        tried = try_outputs(transform, contract, [seen.event for seen in taken], structured, within=0.5)
        if not tried.wrong:
            return ""
        wrong = taken[tried.wrong_at]
        why = tried.wrong
        paths = EventType.objects.filter(name=wrong.type).values_list("personal", flat=True).first()
        if paths:
            # For everybody: what is said of the event without its personal fields holds none of them.
            again = try_outputs(transform, contract, [veiled(wrong, paths).event], structured, within=0.5)
            why = why if again.wrong == why else _("why is hidden, for it holds personal data")
        return _("%(event)s would not fit: %(why)s") % {"event": wrong.name, "why": why}


def _told(found: Sequence[Seen]) -> list[PastEvent]:
    return [PastEvent(seen.seq, seen.type, seen.name, seen.received) for seen in found[:SHOWN]]
