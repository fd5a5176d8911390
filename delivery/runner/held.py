"""What a shift must not read yet: while a target starts in the past, the log beyond what delivery/backfill has routed.

A hint may tell of events that come after parts of the past which are routed later; whoever read them would pass over
those parts. So hints are capped and reading is bounded by how far the job is. Hints are read before events: what is
bound when events are read was capped when the hint was.
"""

from __future__ import annotations

# The targets whose hints of new events say nothing yet.
TARGETS = "SELECT target FROM delivery_backfill WHERE ended_at IS NULL"
# Joined to log_ready r, and the newest seq that such a row may tell of.
JOIN = "LEFT JOIN delivery_backfill b ON b.target = r.target AND b.ended_at IS NULL"
NEWEST = "CASE WHEN b.routed < r.seq THEN b.routed ELSE r.seq END"
# The newest seq that one target (a parameter) may be read up to.
BOUND = (
    f"COALESCE((SELECT routed FROM delivery_backfill WHERE target = %s AND ended_at IS NULL), {2**63 - 1})"
)
# Whoever holds a lease has seen within this time (microseconds) that a job has ended.
LATELY = 60_000_000
