"""Exceptions: each has its content, a reason if something failed, and a time if it is to be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from delivery.log.schema import LANES_PER_SLOT
from delivery.reconcile.checking import PAGE, Check, Hit, execute
from delivery.tracking.read import now, rows
from delivery.tracking.words import State

NO_BYTES = "length(e.raw) = 0"
NO_REASON = f"e.state IN ({int(State.RETRY)}, {int(State.DEAD)}) AND (e.reason IS NULL OR e.reason = '')"
NO_TIME = f"e.state IN ({int(State.RETRY)}, {int(State.DISCARD)}) AND e.due_at IS NULL"
TIME = f"e.state = {int(State.DEAD)} AND e.due_at IS NOT NULL"
# By the order that is in force where the event is parked: by key, or over the whole target; without one nothing waits.
_MODE = 'coalesce(s.mode, t."order")'
_EARLIER = "SELECT 1 FROM runner_exception d WHERE d.target = e.target AND d.blocks = 1 AND d.seq < e.seq"
NO_HEAD = (
    f"e.state = {int(State.WAITING)} AND e.due_at IS NULL AND (e.blocks = 0 OR {_MODE} = 'none' OR "
    f"(NOT EXISTS ({_EARLIER} AND d.key = e.key) AND ({_MODE} = 'key' OR NOT EXISTS ({_EARLIER}))))"
)


def _where(condition: str, joined: str = "") -> Callable[[int], Iterator[Hit]]:
    """Looks through all exceptions for those of which `condition` holds: (target, seq)."""

    def look(since: int) -> Iterator[Hit]:
        last: Hit = (0, 0)
        while True:
            found = rows(
                f"SELECT e.target, e.seq FROM runner_exception e {joined} WHERE {condition} AND (e.target, e.seq) > (%s, %s) "
                f"ORDER BY e.target, e.seq LIMIT {PAGE}",
                last,
            )
            yield from found
            if len(found) < PAGE:
                return
            last = found[-1]

    return look


def _setting(change: str, condition: str) -> Callable[[Sequence[Hit]], int]:
    """Mends by an UPDATE of those of which `condition` still holds; {now} in `change` is the time."""

    def mend(hits: Sequence[Hit]) -> int:
        sql = f"UPDATE runner_exception AS e SET {change.format(now=now())} WHERE e.target = %s AND e.seq = %s AND {condition}"
        return sum(execute(sql, hit) for hit in hits)

    return mend


CHECKS = [
    Check(
        "exception-without-content",
        "events that are held back but whose content is empty",
        "takes the content from the log; what the log has dropped too cannot be mended",
        ("target", "seq"),
        _where(NO_BYTES),
        _setting(
            "raw = (SELECT v.raw FROM log_event v WHERE v.seq = e.seq)",
            f"{NO_BYTES} AND EXISTS (SELECT 1 FROM log_event v WHERE v.seq = e.seq)",
        ),
    ),
    Check(
        "exception-without-reason",
        "dead letters and retries that do not say what went wrong",
        "takes the reason of the last attempt that has one, or says that none was recorded",
        ("target", "seq"),
        _where(NO_REASON),
        _setting(
            "reason = coalesce((SELECT a.reason FROM attempt a WHERE a.target = e.target AND a.seq = e.seq "
            "AND a.reason <> '' ORDER BY a.number DESC LIMIT 1), 'No reason was recorded.')",
            NO_REASON,
        ),
    ),
    Check(
        "retry-without-time",
        "events that are to be tried again, or dropped, at no time",
        "makes them due now",
        ("target", "seq"),
        _where(NO_TIME),
        _setting("due_at = {now}", NO_TIME),
    ),
    Check(
        "dead-letter-with-time",
        "dead letters with a time at which they would be sent although nobody redrove them",
        "takes the time away",
        ("target", "seq"),
        _where(TIME),
        _setting("due_at = NULL", TIME),
    ),
    Check(
        "waiting-for-nothing",
        "events that wait behind one that is gone, so that nothing would ever free them",
        "makes them due now; their order stays",
        ("target", "seq"),
        _where(
            NO_HEAD,
            "JOIN rules_target t ON t.id = e.target LEFT JOIN runner_slot s ON s.target = e.target "
            f"AND s.lanes = e.lane / {LANES_PER_SLOT}",
        ),
        # A first one that is due frees the others when it has ended, so what follows it is not made due as well.
        _setting("due_at = {now}", f"e.state = {int(State.WAITING)} AND e.due_at IS NULL"),
    ),
]
