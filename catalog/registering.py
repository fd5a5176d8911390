"""What registering a version means, whoever asks: a form, an import, a program.

A new version is judged against the versions before it by what its event type promises, and its verdict is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.display import words
from catalog.models import EventType, Lifecycle, Observation, SchemaVersion
from catalog.schemas.authoring import check_example
from catalog.schemas.compatibility import (
    BUDGET_SECONDS,
    Break,
    Mode,
    Outcome,
    Policy,
    Undecided,
    Verdict,
    accepted,
    check_history,
)
from catalog.schemas.dialects import DEFAULT
from catalog.schemas.shape import Row, Shape, StoredShapeUnreadable, seen
from catalog.schemas.shape.paths import ENTRY, sensitive_pointer
from catalog.schemas.text import Mistake, NotJson, parse

# All versions of a check together, the newest first; one takes at most compatibility.BUDGET_SECONDS of it.
CHECK_SECONDS = 1.0
# What is kept of a verdict: enough to read, and small beside the schema.
KEPT = 50
COUNTEREXAMPLE = 16_384
OBSERVED_DAYS = 7
OBSERVATIONS = 60


@dataclass(frozen=True)
class Judgement:
    """What the check said of a new version, by which mode and policy, against which versions (numbers).

    `accepted`: whether it may be registered without an owner's reason.
    """

    verdict: Verdict
    mode: Mode
    policy: Policy
    against: tuple[int, ...]
    accepted: bool

    @property
    def compatible(self) -> bool:
        """Whether nothing was found against it."""
        return self.verdict.outcome is Outcome.COMPATIBLE

    def stored(self) -> dict[str, Any]:
        """The judgement as SchemaVersion.verdict keeps it: JSON; at most KEPT breaks, `more` says how many are left out."""
        breaks = self.verdict.breaks
        return {
            "outcome": str(self.verdict.outcome),
            "mode": str(self.mode),
            "policy": str(self.policy),
            "against": list(self.against),
            "accepted": self.accepted,
            "breaks": [_kept(one) for one in breaks[:KEPT]],
            "undecided": [asdict(one) for one in self.verdict.undecided[:KEPT]],
            "hints": list(self.verdict.hints),
            "more": max(len(breaks) - KEPT, 0) + max(len(self.verdict.undecided) - KEPT, 0),
        }


def judge(
    event_type: EventType,
    schema: str,
    examples: Sequence[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Judgement | None:
    """The judgement of `schema` (JSON text, checked) as the next version; None for a first version.

    `examples` (JSON texts) of the new version and those of the last one make counterexamples look like real events.
    Takes about CHECK_SECONDS: older versions for which no time is left are undecided.
    """
    rows = event_type.versions.filter(lifecycle__in=(Lifecycle.ACTIVE, Lifecycle.DEPRECATED)).order_by(
        "-number"
    )
    last = rows.first()
    if last is None:
        return None
    mode, policy = Mode(event_type.compatibility), Policy(event_type.policy)
    numbers = list(rows.values_list("number", flat=True)) if mode.transitive else [last.number]
    samples = _values([*examples, last.example, *further(last)])[:20]
    new, ends, asked, verdicts = parse(schema), clock() + CHECK_SECONDS, 0, []
    for number in numbers:
        if asked and clock() >= ends:
            break
        old = last if number == last.number else rows.get(number=number)
        budget = min(BUDGET_SECONDS, CHECK_SECONDS)
        verdicts.append(check_history([(number, parse(old.schema))], new, mode, policy, samples, budget))
        asked += 1
    verdict = _together(verdicts, numbers[asked:], mode)
    against = tuple(sorted(numbers[:asked])) if mode is not Mode.NONE else ()
    return Judgement(verdict, mode, policy, against, accepted(verdict, event_type.accept_cautions))


def _together(verdicts: Sequence[Verdict], left: Sequence[int], mode: Mode) -> Verdict:
    """The verdicts of several versions as one; `left` are the numbers of those that were not compared."""
    breaks = tuple(one for verdict in verdicts for one in verdict.breaks)
    undecided = [one for verdict in verdicts for one in verdict.undecided]
    if left:
        why = _("There was no time to compare %(count)s older versions with it, v%(first)s and before.")
        told = why % {"count": len(left), "first": left[0]}
        undecided += [Undecided(direction, "data", told, left[0]) for direction in mode.directions]
    outcome = Outcome.COMPATIBLE
    if breaks or undecided:
        outcome = Outcome.INCOMPATIBLE if breaks else Outcome.UNDECIDED
    return Verdict(outcome, breaks, tuple(undecided), verdicts[0].hints)


def _kept(one: Break) -> dict[str, Any]:
    found = asdict(one)
    if len(json.dumps(one.counterexample)) > COUNTEREXAMPLE:
        found |= {"counterexample": None, "has_counterexample": False}
    return found


class Unfit(NamedTuple):
    """An example of an earlier version that a new schema refuses."""

    version: int
    name: str
    data: str
    mistakes: list[Mistake]


def unfit_examples(event_type: EventType, schema: str, most: int = 10) -> list[Unfit]:
    """Written examples of the newest 20 versions that do not fit `schema` (JSON text, checked), newest first."""
    found: list[Unfit] = []
    asked: set[str] = set()
    for version in event_type.versions.order_by("-number")[:20]:
        named = [
            ("", version.example),
            *((str(one.get("name", "")), str(one.get("data", ""))) for one in version.examples),
        ]
        for name, data in named:
            if not data or data in asked:
                continue
            asked.add(data)
            if mistakes := check_example(schema, data):
                found.append(Unfit(version.number, name, data, mistakes[:3]))
        if len(found) >= most:
            break
    return found[:most]


def save_version(
    event_type: EventType,
    user: Any,
    *,
    schema: str,
    example: str,
    examples: Sequence[Mapping[str, str]] = (),
    notes: str = "",
    origin: str = "",
    judgement: Judgement | None = None,
    override: str = "",
) -> SchemaVersion:
    """Saves the next version of `event_type`. Raises IntegrityError when somebody else just saved that number."""
    last = event_type.versions.aggregate(Max("number"))["number__max"] or 0
    return SchemaVersion.objects.create(
        event_type=event_type,
        number=last + 1,
        schema=schema,
        example=example,
        examples=[dict(one) for one in examples],
        notes=notes,
        origin=origin,
        verdict=judgement.stored() if judgement is not None else {},
        override=override,
        created_by=user,
    )


class Presence(NamedTuple):
    """How many `times` a field was there in the `events` looked at; `values` that came, never of private fields."""

    times: int
    events: int
    values: str

    @property
    def times_words(self) -> str:
        """`times` for people."""
        return words.number(self.times)

    @property
    def events_words(self) -> str:
        """`events` for people."""
        return words.number(self.events)


class Observed:
    """What was really seen of a type in the last days, to say beside a verdict; of "" nothing is read."""

    def __init__(self, type_name: str, sensitive: Sequence[str] = ()) -> None:
        self.days = OBSERVED_DAYS
        whole = Shape([sensitive_pointer(path) for path in sensitive])
        first = timezone.now().date() - timedelta(days=self.days)
        rows = Observation.objects.filter(type_name=type_name, day__gte=first).order_by("-day")
        for text in rows.values_list("shape", flat=True)[:OBSERVATIONS]:
            try:
                whole.merge(Shape.from_json(text))
            except StoredShapeUnreadable:
                continue
        self.events = whole.samples
        self._rows = {_place(row): row for row in seen(whole)} if self.events else {}

    def at(self, path: str) -> Presence | None:
        """What was seen at `path` (`data.lines[].sku`); None when no event was looked at or the path names no field."""
        if not self.events or path == "data" or path.endswith(".*"):
            return None
        row = self._rows.get(path)
        return Presence(row.count if row else 0, self.events, _values_of(row) if row else "")


def _place(row: Row) -> str:
    return "data" + "".join("[]" if part == ENTRY else f".{part}" for part in row.path)


def _values_of(row: Row) -> str:
    if row.private:
        return ""
    if row.top and not row.many:
        return ", ".join(f"“{text[:40]}” {share:.0%}" for text, share in row.top[:4])
    if row.least is not None:
        return f"{row.least} … {row.greatest}"
    return ""


def _values(texts: Sequence[str]) -> list[Any]:
    found = []
    for text in texts:
        try:
            found.append(parse(text))
        except NotJson:
            continue
    return found


def further(version: SchemaVersion) -> list[str]:
    """The data of a version's further examples, JSON texts."""
    return [str(one.get("data", "")) for one in version.examples if isinstance(one, dict)]


def assumes_draft(schema: str) -> str:
    """The $schema that is assumed because `schema` (JSON text) names none; "" when it names one or is no JSON."""
    try:
        value = parse(schema)
    except NotJson:
        return ""
    return DEFAULT if isinstance(value, bool) or (isinstance(value, dict) and "$schema" not in value) else ""
