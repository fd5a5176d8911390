"""The registered event types in memory: which versions each has, in which state they are, and their compiled checks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from catalog.models import EventType, Lifecycle, SchemaVersion
from catalog.schemas.validator import SchemaRefused, Validator, compile_schema

logger = logging.getLogger(__name__)

OFF, REJECT = str(EventType.Validation.OFF), str(EventType.Validation.REJECT)
DRAFT, DEPRECATED, RETIRED = str(Lifecycle.DRAFT), str(Lifecycle.DEPRECATED), str(Lifecycle.RETIRED)
# Fits any database's limit of variables.
PART = 500


class Check:
    """A version's schema, compiled when the first event of it comes. A version never changes, so this neither."""

    __slots__ = ("_text", "_validator")

    def __init__(self, text: str) -> None:
        self._text: str | None = text
        self._validator: Validator | None = None

    @property
    def validator(self) -> Validator | None:
        """The compiled schema; None for one that was registered before what it may cost was bounded, and costs more.

        Its publishers did nothing wrong, so their events are taken unchecked, and the operator is told once.
        """
        if self._text is not None:
            text, self._text = self._text, None
            try:
                self._validator = compile_schema(text)
            except SchemaRefused as error:
                logger.error("A registered schema cannot be used, events are taken unchecked: %s", error)
        return self._validator


class VersionFacts(NamedTuple):
    """A schema version: its row id, its number, its state and its check, None where nothing is to be checked by it."""

    id: int
    number: int
    lifecycle: str
    check: Check | None


class Farewell(NamedTuple):
    """What is said of a type that is deprecated or retired.

    `successor`: the name of the type that takes its place, and the number of its version; "" and 0 for none.
    """

    since: datetime
    ends_on: date | None
    successor: str
    successor_version: int
    words: str


class Superseded(NamedTuple):
    """Since when there is a newer version than a deprecated one, and the last day of that one when it was announced."""

    since: datetime
    ends_on: date | None


class TypeFacts(NamedTuple):
    """An event type. `versions` by number, ascending; `default` is what an event that names none is checked against.

    `validation`: off, warn or reject. `personal`: paths of data that hold personal data. `farewell`: of a deprecated
    or retired type. `superseded`: what is said of versions that are deprecated, by number.
    """

    name: str
    validation: str
    lifecycle: str
    versions: dict[int, VersionFacts]
    default: VersionFacts | None
    personal: tuple[str, ...] = ()
    farewell: Farewell | None = None
    superseded: Mapping[int, Superseded] = {}


def read_types(before: Mapping[str, TypeFacts]) -> dict[str, TypeFacts]:
    """All registered types. Versions that `before` has keep their compiled check.

    There may be 10,000 types, and each change of the catalog reads them: what few of them have is asked for apart.
    """
    types = list(
        EventType.objects.order_by().values_list(
            "id", "name", "validation", "lifecycle", "default_version_id"
        )
    )
    unchecked = {pk for pk, _, validation, _, _ in types if validation == OFF}
    versions = _read_versions(before, unchecked)
    none: dict[int, VersionFacts] = {}
    chosen = {pk: _default(versions.get(pk, none), wanted) for pk, _, _, _, wanted in types}
    personal = dict(EventType.objects.order_by().exclude(personal=[]).values_list("id", "personal"))
    farewells = _read_farewells({pk: name for pk, name, *_ in types}, chosen)
    superseded = _read_superseded(versions)
    return {
        name: TypeFacts(
            name,
            validation,
            state,
            versions.get(pk, none),
            chosen[pk],
            tuple(path for path in personal.get(pk, ()) if isinstance(path, str)),
            farewells.get(pk),
            superseded.get(pk, {}),
        )
        for pk, name, validation, state, _ in types
    }


def _default(versions: dict[int, VersionFacts], wanted: int | None) -> VersionFacts | None:
    """The version of row id `wanted` unless it is retired, else the newest that is neither retired nor a draft."""
    newest = None
    for version in versions.values():
        if version.id == wanted and version.lifecycle != RETIRED:
            return version
        if version.lifecycle not in (RETIRED, DRAFT):
            newest = version
    return newest


def _read_farewells(
    names: Mapping[int, str], chosen: Mapping[int, VersionFacts | None]
) -> dict[int, Farewell]:
    found = {}
    for pk, deprecated, created, ends, successor, words in EventType.objects.filter(
        lifecycle__in=(DEPRECATED, RETIRED)
    ).values_list("id", "deprecated_at", "created_at", "ends_on", "successor_id", "farewell"):
        follows = chosen.get(successor)
        number = follows.number if follows is not None else 0
        found[pk] = Farewell(deprecated or created, ends, names.get(successor, ""), number, words)
    return found


def _read_superseded(versions: Mapping[int, Mapping[int, VersionFacts]]) -> dict[int, dict[int, Superseded]]:
    """A version does not hold since when it is deprecated: what took its place did so from its first day on."""
    ending = {
        kind: [number for number, one in mine.items() if one.lifecycle == DEPRECATED]
        for kind, mine in versions.items()
        if any(one.lifecycle == DEPRECATED for one in mine.values())
    }
    made: dict[int, dict[int, datetime]] = {}
    last: dict[int, dict[int, date | None]] = {}
    kinds = sorted(ending)
    for at in range(0, len(kinds), PART):
        for kind, number, created, ends in SchemaVersion.objects.filter(
            event_type__in=kinds[at : at + PART]
        ).values_list("event_type_id", "number", "created_at", "ends_on"):
            made.setdefault(kind, {})[number] = created
            last.setdefault(kind, {})[number] = ends
    found: dict[int, dict[int, Superseded]] = {}
    for kind, numbers in ending.items():
        days = made.get(kind, {})
        for number in numbers:
            newer = [
                one.number
                for one in versions[kind].values()
                if one.number > number and one.lifecycle != DRAFT and one.number in days
            ]
            since = days[min(newer, default=number)]
            found.setdefault(kind, {})[number] = Superseded(since, last[kind][number])
    return found


def _read_versions(
    before: Mapping[str, TypeFacts], unchecked: set[int]
) -> dict[int, dict[int, VersionFacts]]:
    """By the type's row id, then by number. Texts are read of those alone that nobody has compiled yet."""
    known = {version.id: version for facts in before.values() for version in facts.versions.values()}
    rows = list(
        SchemaVersion.objects.order_by("event_type_id", "number").values_list(
            "id", "event_type_id", "number", "lifecycle"
        )
    )
    checks: dict[int, Check | None] = {}
    missing = []
    for pk, kind, _, state in rows:
        if kind not in unchecked and state != RETIRED:
            there = known.get(pk)
            if there is not None and there.check is not None:
                checks[pk] = there.check
            else:
                missing.append(pk)
    for at in range(0, len(missing), PART):
        texts = SchemaVersion.objects.filter(pk__in=missing[at : at + PART]).values_list("id", "schema")
        checks.update({pk: Check(text) for pk, text in texts})
    found: dict[int, dict[int, VersionFacts]] = {}
    for pk, kind, number, state in rows:
        there, check = known.get(pk), checks.get(pk)
        if there is None or there.lifecycle != state or there.check is not check:
            there = VersionFacts(pk, number, state, check)
        found.setdefault(kind, {})[number] = there
    return found
