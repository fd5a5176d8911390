"""What a changed filter would have done to past events, for the rule editor to ask before it saves."""

from __future__ import annotations

from collections.abc import Sequence

from delivery.pages import samples
from delivery.pages.samples import Seen
from rules.engine import Filter
from rules.filtering import Matching, types_of
from rules.past import Difference, PastEvent

SHOWN = 6
BEFORE, AFTER = 0, 1


class LogPast:
    """Answers `rules.past` from the log."""

    def difference(self, bus: int, before: Filter, after: Filter) -> Difference:
        """Both filters at once over the last 7 days, at most 10,000 events."""
        types = types_of([before, after])
        found = samples.take(bus, types, "week")
        both = Matching([(BEFORE, before), (AFTER, after)])
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


def _told(found: Sequence[Seen]) -> list[PastEvent]:
    return [PastEvent(seen.seq, seen.type, seen.name, seen.received) for seen in found[:SHOWN]]
