"""Everything that happened to one event: what it was checked against, which rules looked, and what each target did."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.models import Bus, SchemaVersion
from delivery.log.schema import CURSORS, LANES_PER_SLOT
from delivery.tracking import attempts, catching_up, events
from delivery.tracking.attempts import Attempt
from delivery.tracking.events import Headline, StoredEvent
from delivery.tracking.read import marks, moment, rows
from delivery.tracking.words import EXPIRED, REDRIVEN, Outcome, State
from rules.engine import Condition, Event, PatternError, explain
from rules.filtering import filter_of
from rules.models import Rule, RuleRevision, Target, TargetRevision

# A page for a person: with thousands of rules the first ones by name are shown, and how many there are.
RULES_SHOWN = 200
RULES_LOOKED_AT = 2000


@dataclass(frozen=True)
class Trouble:
    """A row of runner_exception: where the event stands with a target that has not taken it."""

    state: State
    attempts: int
    redriven: int
    first_at: datetime
    due_at: datetime | None
    status: int | None
    reason: str
    response: str


@dataclass(frozen=True)
class Stop:
    """One target on the way. `kind`: ok, warn, bad, idle or busy. `target` is None when it was deleted since."""

    target_id: int
    name: str
    connector: str
    rule_id: int
    rule: str
    target: Target | None
    attempts: list[Attempt]
    trouble: Trouble | None
    state: str  # delivered, dead, discarded, retrying, behind, queued, paused, stopped, deleted

    @property
    def expired(self) -> bool:
        """Whether it waited for the target longer than its bus keeps it."""
        return self.trouble is not None and self.trouble.reason.startswith(EXPIRED)

    @property
    def redriven(self) -> bool:
        """Whether a person had it sent again after it was a dead letter."""
        again = any(one.delivered and (one.reason or "").startswith(REDRIVEN) for one in self.attempts)
        return again or (self.trouble is not None and self.trouble.redriven > 0)

    @property
    def last(self) -> Attempt | None:
        """The latest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def answered(self) -> bool:
        """Whether the target answered its latest attempt, or was not asked at all because nothing could be made for it."""
        return self.last is None or self.last.status is not None or self.last.outcome != Outcome.RETRY

    @property
    def reason(self) -> str:
        """Why it was not delivered, as its dead letter or latest failed attempt says; empty when delivered."""
        if self.state == "delivered":
            return ""
        if self.trouble and self.trouble.reason:
            return self.trouble.reason
        return (self.last.reason or "") if self.last else ""


@dataclass(frozen=True)
class Passed:
    """A rule that did not take the event. `disabled`: it was switched off. `failed`: the first condition that failed."""

    rule_id: int
    rule: str
    exists: bool
    targets: str
    disabled: bool
    failed: Condition | None
    problem: str = ""


@dataclass(frozen=True)
class Journey:
    """What `of` found. `looked`: how many rules the bus had then; `passed` may show fewer (`passed_count` says)."""

    event: StoredEvent
    bus: Bus | None
    schema: SchemaVersion | None
    attributes: dict[str, Any]
    looked: int
    took: list[RuleRevision]
    stops: list[Stop]
    passed: list[Passed]
    passed_count: int
    story: list[Headline] = field(default_factory=list)

    @property
    def delivered(self) -> int:
        """How many targets have taken it."""
        return sum(stop.state == "delivered" for stop in self.stops)


def of(seq: int) -> Journey | None:
    """The journey of the event with that seq; None when the log does not hold it."""
    event = events.at(seq)
    if event is None:
        return None
    revisions = _revisions(event)
    seen = Event.from_json(event.raw)
    took: list[RuleRevision] = []
    passed: list[Passed] = []
    existing = dict(
        Rule.objects.filter(pk__in=[revision.rule_id for revision in revisions]).values_list("pk", "name")
    )
    names = _target_names(revisions)
    for revision in revisions:
        failed, problem = None, ""
        if revision.enabled:
            try:
                explanation = explain(filter_of(revision), seen)
            except PatternError as error:
                problem = str(error)
            else:
                if explanation.matched:
                    took.append(revision)
                    continue
                failed = explanation.failed
        passed.append(
            Passed(
                revision.rule_id,
                existing.get(revision.rule_id, revision.name),
                revision.rule_id in existing,
                ", ".join(names[target] for target in revision.target_ids if target in names),
                not revision.enabled,
                failed,
                problem,
            )
        )
    # Those that came nearest first: they listened to this type, and a condition on the data failed.
    passed.sort(key=lambda one: (one.disabled, one.failed is None or one.failed.path == "type", one.rule))
    return Journey(
        event,
        Bus.objects.filter(pk=event.bus).first(),
        _schema(event),
        dict(seen.attributes),
        len(revisions),
        took,
        _stops(event, took),
        passed[:RULES_SHOWN],
        len(passed),
        events.about(event),
    )


def _schema(event: StoredEvent) -> SchemaVersion | None:
    if event.schema_version is None:
        return None
    return SchemaVersion.objects.filter(pk=event.schema_version).select_related("event_type").first()


def _revisions(event: StoredEvent) -> list[RuleRevision]:
    """What each rule of the event's bus was when the event was stored: the latest revision up to its rules version."""
    ids = rows(
        "SELECT max(id) FROM rules_rulerevision WHERE bus_id = %s AND rules_version <= %s GROUP BY rule_id "
        "ORDER BY 1 DESC LIMIT %s",
        [event.bus, event.rules_version, RULES_LOOKED_AT],
    )
    found = RuleRevision.objects.filter(pk__in=[pk for (pk,) in ids], pattern__isnull=False)
    return sorted(found, key=lambda revision: (revision.name, revision.rule_id))


def _target_names(revisions: list[RuleRevision]) -> dict[int, str]:
    ids = [target for revision in revisions for target in revision.target_ids]
    return dict(Target.objects.filter(pk__in=ids[:5000]).values_list("pk", "name"))


def _stops(event: StoredEvent, took: list[RuleRevision]) -> list[Stop]:
    rule_of = {target: revision for revision in took for target in revision.target_ids}
    tried: dict[int, list[Attempt]] = defaultdict(list)
    started = catching_up.over(event)
    for attempt in attempts.of_event(event.seq, sorted({*rule_of, *started})):
        tried[attempt.target].append(attempt)
    ids = sorted({*rule_of, *tried, *_from_the_past(event, started)})
    targets = {target.pk: target for target in Target.objects.filter(pk__in=ids).select_related("rule")}
    troubles = _troubles(event.seq, ids)
    queued = _queued(event, ids)
    former = {
        revision.target_id: revision
        for revision in TargetRevision.objects.filter(target_id__in=[pk for pk in ids if pk not in targets])
    }
    stops = []
    for pk in ids:
        target, revision = targets.get(pk), rule_of.get(pk)
        named = target or former.get(pk)
        trouble = troubles.get(pk)
        stops.append(
            Stop(
                pk,
                named.name if named else f"#{pk}",
                named.connector if named else "",
                revision.rule_id if revision else (target.rule_id if target else 0),
                revision.name if revision else (target.rule.name if target else ""),
                target,
                tried[pk],
                trouble,
                _state(target, tried[pk], trouble, pk in queued),
            )
        )
    return stops


def _from_the_past(event: StoredEvent, started: list[int]) -> set[int]:
    """Those of `started`, targets made later that started before this event, that have not come to an end with it."""
    return {*_queued(event, started), *_troubles(event.seq, started)} if started else set()


def _state(target: Target | None, tried: list[Attempt], trouble: Trouble | None, queued: bool) -> str:
    if trouble is not None:
        if trouble.state in (State.DEAD, State.DISCARD):
            return "dead"
        return "retrying" if trouble.state == State.RETRY else "behind"
    if tried and tried[-1].outcome == Outcome.DISCARDED:
        return "discarded"
    if tried and tried[-1].outcome == Outcome.DELIVERED:
        return "delivered"
    if target is None:
        return "deleted"
    if queued:
        return {"paused": "paused", "stopped": "stopped", "disabled": "stopped"}.get(target.state, "queued")
    # Below the cursor and no exception, so it came to an end; attempts are written with the cursor, so one says how.
    return "delivered" if any(attempt.delivered for attempt in tried) else "discarded"


def _troubles(seq: int, targets: list[int]) -> dict[int, Trouble]:
    return {
        int(row[0]): Trouble(
            State(row[1]),
            row[2],
            row[3],
            moment(row[4]),
            None if row[5] is None else moment(row[5]),
            row[6],
            row[7] or "",
            row[8] or "",
        )
        for row in rows(
            "SELECT target, state, attempts, redriven, first_at, due_at, status, reason, response "
            f"FROM runner_exception WHERE seq = %s AND target IN ({marks(targets)})",
            [seq, *targets],
        )
    }


def _queued(event: StoredEvent, targets: list[int]) -> set[int]:
    slot, position = divmod(event.lane, LANES_PER_SLOT)
    return {
        int(target)
        for (target,) in rows(
            "SELECT r.target FROM log_route r LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = %s "
            f"WHERE r.target IN ({marks(targets)}) AND r.lanes = %s AND r.seq = %s "
            f"AND r.seq > coalesce(s.{CURSORS[position]}, 0)",
            [slot, *targets, slot, event.seq],
        )
    }


def as_text(raw: bytes) -> str:
    """An event's JSON, indented for reading; the text as it is when it is not JSON."""
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except ValueError:
        return raw.decode(errors="replace")
