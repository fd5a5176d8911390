"""Whom a new schema version would touch: past events as the new version would send them, through every listener's rule.

A real event is judged as it is: would it be refused. For the rules, what the new version no longer declares is taken
out of it first, because that is how it will come; then filter, transform and contract are tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from catalog.facts import facts
from catalog.models import Bus
from catalog.schemas.fields import FIELDS, fields_of, rows_of
from catalog.schemas.text import parse
from catalog.schemas.validator import Validator
from delivery.pages import samples
from delivery.pages.samples import Seen
from rules.contract import Contract, ContractRefused, compile_contract
from rules.engine import Event, PatternError, TransformError, compile
from rules.engine.event import ABSENT
from rules.filtering import filter_of
from rules.models import Rule, Target
from rules.outputs import refusals, sends_documents, try_outputs

EVENTS, SECONDS = 1_000, 1.5
# Transforms are tried on so many of the events that a rule takes.
TRIED, TRYING_SECONDS = 100, 0.1
RULES, BUSES = 100, 20
Path = tuple[str, ...]


class TouchedTarget(NamedTuple):
    """A target that would send less, or other things. `fails`: of `tried` events those that it could not send any more.

    `unread`: paths its transform reads that no event would have any more.
    """

    target: Target
    fails: int
    tried: int
    why: str
    unread: tuple[str, ...]


class Touched(NamedTuple):
    """A rule: how many past events it took, how many of them it still would, how many the door would refuse."""

    rule: Rule
    took: int
    still: int
    refused: int
    targets: list[TouchedTarget]

    @property
    def stops(self) -> bool:
        """Whether it took events and would take none of them any more."""
        return self.took > 0 and self.still == 0

    @property
    def is_touched(self) -> bool:
        """Whether anything changes for it."""
        return self.still < self.took or bool(self.targets)


class Affected(NamedTuple):
    """What was found: of `looked` events `refused` do not fit the new schema, `refused_now` not even today's.

    `asked`: how many rules listen; `all_tried`: whether the time sufficed for all events and rules.
    """

    looked: int
    refused: int
    refused_now: int
    asked: int
    touched: list[Touched]
    gone: list[str]
    all_tried: bool

    @property
    def stopping(self) -> int:
        """How many rules would take nothing any more."""
        return sum(one.stops for one in self.touched)


class _Tried(NamedTuple):
    seen: Seen
    bus: int
    later: Event
    refused: bool


def affected(
    type_name: str,
    old: str,
    new: str,
    validators: tuple[Validator, Validator],
    refuses: bool,
    clock: Callable[[], float] = time.perf_counter,
) -> Affected:
    """Tries the newest events of `type_name`, at most 1,000, for at most about 1.5 seconds.

    old and new: the schemas as JSON texts, `validators` the same compiled; `refuses`: whether the ingest refuses what
    does not fit.
    """
    ends = clock() + SECONDS
    gone = gone_between(parse(old), parse(new))
    tried: list[_Tried] = []
    refused = refused_now = 0
    complete = True
    for bus, seen in _newest(type_name):
        if clock() > ends - SECONDS / 2:
            complete = False
            break
        data = seen.event.data
        if data is ABSENT:
            continue
        unfit = not validators[1].is_valid(data)
        refused += unfit
        refused_now += unfit and not validators[0].is_valid(data)
        tried.append(_Tried(seen, bus, _without(seen.event, gone), refuses and unfit))
    rules = _listening(type_name)
    touched = []
    for rule in rules:
        if clock() > ends:
            complete = False
            break
        if (found := _touched(rule, tried)) is not None and found.is_touched:
            touched.append(found)
    touched.sort(key=lambda one: (not one.stops, -(one.took - one.still), one.rule.name))
    return Affected(
        len(tried),
        refused,
        refused_now,
        len(rules),
        touched,
        ["".join(_named(path)) for path in gone],
        complete,
    )


def gone_between(old: Any, new: Any) -> list[Path]:
    """The paths that `old` declares and `new` does not; of those within each other the outer one."""
    before = [one.path for one in rows_of(fields_of(old))]
    after = {one.path for one in rows_of(fields_of(new))}
    if len(after) >= FIELDS:
        return []
    gone: list[Path] = []
    for path in before:
        if path and path not in after and not any(path[: len(outer)] == outer for outer in gone):
            gone.append(path)
    return gone


def _named(path: Path) -> Iterable[str]:
    yield "data"
    for part in path:
        yield "[]" if part == "[]" else f".{part}"


def without(value: Any, paths: Sequence[Path]) -> Any:
    """A copy of `value` without what is at `paths`; "[]" stands for every entry. The same object when nothing is."""
    for path in paths:
        value = _cut(value, path)
    return value


def _cut(value: Any, path: Path) -> Any:
    name, rest = path[0], path[1:]
    if name == "[]":
        if not isinstance(value, list) or not rest:
            return value
        cut = [_cut(one, rest) for one in value]
        return value if all(one is other for one, other in zip(cut, value, strict=True)) else cut
    if isinstance(value, list):
        # An array of objects has its members' paths with or without "[]" before them.
        return _cut(value, ("[]", *path))
    if not isinstance(value, dict) or name not in value:
        return value
    if not rest:
        return {key: one for key, one in value.items() if key != name}
    inner = _cut(value[name], rest)
    return value if inner is value[name] else {**value, name: inner}


def _without(event: Event, gone: Sequence[Path]) -> Event:
    data = event.data
    left = without(data, gone)
    return event if left is data else Event(event.attributes, msgspec.json.encode(left))


def _newest(type_name: str) -> list[tuple[int, Seen]]:
    """The newest events of a type on all buses, newest first."""
    found = [
        (bus, seen)
        for bus in Bus.objects.order_by("pk").values_list("pk", flat=True)[:BUSES]
        for seen in samples.newest(bus, [type_name], EVENTS)
    ]
    return sorted(found, key=lambda one: -one[1].seq)[:EVENTS]


def _listening(type_name: str) -> list[Rule]:
    ids = list(dict.fromkeys(one.rule_id for one in facts().listeners(type_name)))[:RULES]
    return list(
        Rule.objects.filter(pk__in=ids, enabled=True).select_related("team").prefetch_related("targets")
    )


def _touched(rule: Rule, tried: Sequence[_Tried]) -> Touched | None:
    """None when its filter cannot be used."""
    try:
        matcher = compile([(rule.pk, filter_of(rule))])
    except PatternError:
        return None
    took = [one for one in tried if one.bus == rule.bus_id and matcher.match(one.seen.event)]
    passing = [one for one in took if one.later is one.seen.event or matcher.match(one.later)]
    still = [one for one in passing if not one.refused]
    targets = [
        found for target in rule.targets.all() if (found := _of_target(target, still[:TRIED])) is not None
    ]
    return Touched(rule, len(took), len(still), sum(one.refused for one in took), targets)


def _of_target(target: Target, taken: Sequence[_Tried]) -> TouchedTarget | None:
    """What changes for a target; None when nothing does."""
    changed = [one for one in taken if one.later is not one.seen.event]
    if not changed:
        return None
    transform = target.transform or {"kind": "complete"}
    structured = sends_documents(target.config)
    contract: Contract | None = None
    try:
        contract = compile_contract(target.contract) if target.contract else None
        before = [one.seen.event for one in changed]
        after = [one.later for one in changed]
        now, later = (
            try_outputs(transform, contract, events, structured, TRYING_SECONDS) for events in (before, after)
        )
        good = refusals(transform, contract, before[: now.looked], structured)
        bad = refusals(transform, contract, after[: now.looked], structured)
    except (TransformError, ContractRefused):
        return None
    broken = [why for was, why in zip(good, bad, strict=True) if why and not was]
    unread = tuple(path for path in later.unread if path not in now.unread)
    if not broken and not unread:
        return None
    return TouchedTarget(target, len(broken), len(good), broken[0] if broken else "", unread)
