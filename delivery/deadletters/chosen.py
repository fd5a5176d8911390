"""Which dead letters are meant: a filter that a page's query, an API request and a job's row all say alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import msgspec

from delivery.deadletters.causes import cause_id, cause_of
from delivery.tracking.read import marks, moment, rows
from delivery.tracking.words import State

CHUNK = 500
LOOKED_AT = 10_000  # dead letters looked at for one answer


@dataclass(frozen=True, slots=True)
class Chosen:
    """Dead letters for which everything that is given holds.

    `letters`: these only, (target, seq) each. `cause`: the id of a cause. `since`, `until`: first tried at or after,
    before (microseconds). `but`: none of these types. `type`, `subject`: of the event, exactly. `text`: somewhere in the reason, upper and lower
    case alike.
    """

    target: int | None = None
    rule: int | None = None
    letters: tuple[tuple[int, int], ...] | None = None
    cause: str = ""
    status: int | None = None
    type: str = ""
    subject: str = ""
    text: str = ""
    since: int | None = None
    until: int | None = None
    but: tuple[str, ...] | None = None

    def values(self) -> dict[str, Any]:
        """What is given, as plain JSON values."""
        return {
            name: list(v) if isinstance(v, tuple) else v
            for name, v in asdict(self).items()
            if v not in (None, "")
        }

    @classmethod
    def of(cls, values: dict[str, Any]) -> Chosen:
        """The filter of `values`."""
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        if kept.get("letters") is not None:
            kept["letters"] = tuple((int(target), int(seq)) for target, seq in kept["letters"])
        if kept.get("but") is not None:
            kept["but"] = tuple(kept["but"])
        return cls(**kept)

    def where(self) -> tuple[str, list[Any]]:
        """What the database can tell by itself, as SQL on `runner_exception x` with its values."""
        parts, values = ["x.state = %s"], [int(State.DEAD)]
        for part, value in (
            ("x.target = %s", self.target),
            ("x.target IN (SELECT id FROM rules_target WHERE rule_id = %s)", self.rule),
            ("x.status = %s", self.status),
            ("x.first_at >= %s", self.since),
            ("x.first_at < %s", self.until),
        ):
            if value is not None:
                parts.append(part)
                values.append(value)
        if self.letters is not None:
            of_target: dict[int, list[int]] = {}
            for target, seq in self.letters:
                of_target.setdefault(target, []).append(seq)
            each = [f"(x.target = %s AND x.seq IN ({marks(seqs)}))" for seqs in of_target.values()]
            parts.append(f"({' OR '.join(each) or '1 = 0'})")
            for target, seqs in of_target.items():
                values += [target, *seqs]
        return " AND ".join(parts), values

    def fits(self, letter: Letter) -> bool:
        """What needs the event, or more than a comparison."""
        return (
            (not self.type or letter.type == self.type)
            and (not self.subject or letter.subject == self.subject)
            and (not self.text or self.text.casefold() in letter.reason.casefold())
            and letter.type not in (self.but or ())
            and (not self.cause or cause_id(letter.cause) == self.cause)
        )


class Letter(NamedTuple):
    """One dead letter. `first_at` in microseconds; `attempts` those since it was last redriven.

    `type`, `subject`, `source` and `event_id` are read from its own bytes where the bus no longer keeps the event.
    """

    target: int
    seq: int
    key: int
    attempts: int
    redriven: int
    first_at: int
    status: int | None
    reason: str
    type: str
    subject: str
    source: str
    event_id: str

    @property
    def since(self) -> Any:
        """When it was first tried, with its time zone."""
        return moment(self.first_at)

    @property
    def cause(self) -> str:
        """Its reason without what differs from event to event."""
        return cause_of(self.reason, self.status)


class _Named(msgspec.Struct):
    type: str = ""
    subject: str | None = None
    source: str = ""
    id: str = ""


COLUMNS = (
    "x.target, x.seq, x.key, x.attempts, x.redriven, x.first_at, x.status, coalesce(x.reason, ''), "
    "e.type, e.subject, e.source, e.ce_id, CASE WHEN e.seq IS NULL THEN x.raw END"
)


def newest(chosen: Chosen, looked_at: int = LOOKED_AT) -> Iterator[Letter]:
    """Those chosen, the newest event first. Ends after `looked_at` dead letters were looked at, chosen or not."""
    below: tuple[int, int] | None = None
    while looked_at > 0:
        found = _next(chosen, below, min(CHUNK, looked_at))
        yield from (letter for letter in found if chosen.fits(letter))
        if len(found) < min(CHUNK, looked_at):
            return
        looked_at -= len(found)
        below = _place(found[-1])


def page(
    chosen: Chosen, below: tuple[int, int] | None, limit: int, looked_at: int = LOOKED_AT
) -> tuple[list[Letter], tuple[int, int] | None]:
    """Up to `limit` of those chosen after `below` (seq, target), the newest event first, and where to go on.

    That is None at the end only: where `looked_at` were looked at first, fewer or none are found and there is more.
    """
    letters: list[Letter] = []
    while looked_at > 0:
        size = min(CHUNK, looked_at)
        found = _next(chosen, below, size)
        for letter in found:
            if chosen.fits(letter):
                if len(letters) == limit:
                    return letters, _place(letters[-1])
                letters.append(letter)
        if len(found) < size:
            return letters, None
        looked_at -= size
        below = _place(found[-1])
    return letters, below


def _place(letter: Letter) -> tuple[int, int]:
    return letter.seq, letter.target


def _next(chosen: Chosen, below: tuple[int, int] | None, size: int) -> list[Letter]:
    """The next dead letters, newest first, of which the database cannot tell that they are not chosen."""
    where, values = chosen.where()
    if below is not None:
        where, values = (
            f"{where} AND x.seq <= %s AND NOT (x.seq = %s AND x.target >= %s)",
            [*values, below[0], *below],
        )
    return _read(where, values, "x.seq DESC, x.target DESC", size)


def in_order(
    chosen: Chosen, after: tuple[int, int], looked_at: int
) -> tuple[list[Letter], tuple[int, int] | None]:
    """Those chosen among the next `looked_at` dead letters after (seq, target), oldest first: each key in its order.

    Also where to go on; None at the end.
    """
    where, values = chosen.where()
    where = f"{where} AND x.seq >= %s AND NOT (x.seq = %s AND x.target <= %s)"
    found = _read(where, [*values, after[0], *after], "x.seq, x.target", looked_at)
    end = len(found) < looked_at
    return [letter for letter in found if chosen.fits(letter)], None if end else (
        found[-1].seq,
        found[-1].target,
    )


def count(chosen: Chosen, most: int = 10_000) -> tuple[int, bool]:
    """How many are chosen among the newest `most` dead letters that the database can tell, and whether these are all."""
    where, values = chosen.where()
    if not (chosen.cause or chosen.type or chosen.subject or chosen.text):
        counted = rows(
            f"SELECT count(*) FROM (SELECT 1 FROM runner_exception x WHERE {where} LIMIT %s) AS counted",
            [*values, most + 1],
        )[0][0]
        return min(int(counted), most), counted <= most
    looked = rows(
        f"SELECT count(*) FROM (SELECT 1 FROM runner_exception x WHERE {where} LIMIT %s) AS counted",
        [*values, most + 1],
    )[0][0]
    return sum(1 for _ in newest(chosen, looked_at=most)), looked <= most


def earlier_left(chosen: Sequence[Letter]) -> int:
    """How many dead letters of the same targets and keys are older than one of `chosen` and not among them."""
    first: dict[tuple[int, int], int] = {}
    for letter in chosen:
        name = (letter.target, letter.key)
        first[name] = max(letter.seq, first.get(name, 0))
    taken = {(letter.target, letter.seq) for letter in chosen}
    left = 0
    for (target, key), seq in first.items():
        found = rows(
            "SELECT seq FROM runner_exception WHERE target = %s AND key = %s AND seq < %s AND state = %s LIMIT 1000",
            [target, key, seq, int(State.DEAD)],
        )
        left += sum((target, one) not in taken for (one,) in found)
    return left


def _read(where: str, values: Sequence[Any], order: str, limit: int) -> list[Letter]:
    found = rows(
        f"SELECT {COLUMNS} FROM runner_exception x LEFT JOIN log_event e ON e.seq = x.seq "
        f"WHERE {where} ORDER BY {order} LIMIT %s",
        [*values, limit],
    )
    letters = []
    for (
        target,
        seq,
        key,
        attempts,
        redriven,
        first_at,
        status,
        reason,
        kind,
        subject,
        source,
        event_id,
        raw,
    ) in found:
        if raw is not None:
            named = msgspec.json.decode(bytes(raw), type=_Named)
            kind, subject, source, event_id = named.type, named.subject, named.source, named.id
        facts = (target, seq, key, attempts, redriven, first_at, status, reason)
        letters.append(Letter(*facts, kind, subject or "", source, event_id))
    return letters
