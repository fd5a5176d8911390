"""Events found by their subject: the order number that a person is given, rather than the id of an event."""

from __future__ import annotations

from delivery.log.entry import key_number, lane_of
from delivery.tracking.events import HEADLINE, NEAR, Headline, head, headlines_of
from delivery.tracking.read import HOUR, marks, now, rows

# There is no index by subject: it would write a page per event somewhere else. Source and subject make the order key,
# which the index by lane holds; events with a partition key of their own are found among the newest only.
SOURCES = 50
NEWEST = 20_000
SLOT = 10 * 60 * 1_000_000  # microseconds of a row of rollup_source


def find(subject: str, limit: int = 20) -> list[Headline]:
    """The newest events with exactly that subject, newest first: of the newest 1,000,000, from the 50 liveliest sources.

    Those of other sources, and with a partition key, among the newest 20,000.
    """
    top = head()
    lanes: dict[int, list[int]] = {}
    for source in _sources():
        key = f"{source}\0{subject}"
        lanes.setdefault(lane_of(key), []).append(key_number(key))
    seqs: set[int] = set()
    for lane, keys in lanes.items():
        found = rows(
            f"SELECT seq FROM log_event WHERE lane = %s AND seq > %s AND key IN ({marks(keys)}) ORDER BY seq DESC LIMIT %s",
            [lane, top - NEAR, *keys, limit],
        )
        seqs.update(int(seq) for (seq,) in found)
    listed = {line.seq: line for line in headlines_of(sorted(seqs)) if line.subject == subject}
    sql = f"SELECT {HEADLINE} FROM log_event WHERE seq > %s AND subject = %s ORDER BY seq DESC LIMIT %s"
    listed |= {row[0]: Headline(*row) for row in rows(sql, [top - NEWEST, subject, limit])}
    return [listed[seq] for seq in sorted(listed, reverse=True)][:limit]


def _sources() -> list[str]:
    """Sources that sent something in the last two days, the liveliest first, and those that are registered."""
    lively = rows(
        "SELECT source FROM rollup_source WHERE slot >= %s GROUP BY source ORDER BY sum(events) DESC LIMIT %s",
        [(now() - 48 * HOUR) // SLOT, SOURCES],
    )
    registered = rows("SELECT uri FROM catalog_source ORDER BY id DESC LIMIT %s", [SOURCES])
    return list(dict.fromkeys(source for (source,) in [*lively, *registered]))[:SOURCES]
