"""The registered event types in memory: which versions each has, in which state they are, and their compiled checks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from catalog.models import EventType, Lifecycle, SchemaVersion
from catalog.schemas.validator import Validator, compile_schema

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
    def validator(self) -> Validator:
        """The compiled schema."""
        if self._validator is None:
            assert self._text is not None
            self._validator, self._text = compile_schema(self._text), None
        return self._validator


class VersionFacts(NamedTuple):
    """A schema version: its row id, its number, its state and its check, None where nothing is to be checked by it."""

    id: int
    number: int
    lifecycle: str
    created_at: datetime
    check: Check | None


class TypeFacts(NamedTuple):
    """An event type. `versions` by number, ascending; `default` is what an event that names none is checked against.

    `validation`: off, warn or reject. `successor`: the name of the type that takes its place, and the number of its
    version, "" and 0 when there is none. `personal`: paths of data that hold personal data.
    """

    name: str
    validation: str
    lifecycle: str
    deprecated_at: datetime
    ends_on: date | None
    successor: str
    successor_version: int
    farewell: str
    personal: tuple[str, ...]
    versions: dict[int, VersionFacts]
    default: VersionFacts | None


def read_types(before: Mapping[str, TypeFacts]) -> dict[str, TypeFacts]:
    """All registered types. Versions that `before` has keep their compiled check: there may be 10,000 types."""
    types = list(
        EventType.objects.order_by().values_list(
            "id", "name", "validation", "lifecycle", "deprecated_at", "created_at", "ends_on",
            "successor_id", "farewell", "personal", "default_version_id",
        )
    )  # fmt: skip
    unchecked = {pk for pk, _, validation, *_ in types if validation == OFF}
    versions = _read_versions(before, unchecked)
    chosen = {pk: _default(versions.get(pk, {}), wanted) for pk, *_, wanted in types}
    names = {pk: name for pk, name, *_ in types}
    found = {}
    for pk, name, validation, state, deprecated, created, ends, successor, farewell, personal, _ in types:
        follows = chosen.get(successor)
        found[name] = TypeFacts(
            name,
            validation,
            state,
            deprecated or created,
            ends,
            names.get(successor, ""),
            follows.number if follows is not None else 0,
            farewell,
            tuple(path for path in personal if isinstance(path, str)),
            versions.get(pk, {}),
            chosen[pk],
        )
    return found


def _default(versions: dict[int, VersionFacts], wanted: int | None) -> VersionFacts | None:
    """The version of row id `wanted` unless it is retired, else the newest that is neither retired nor a draft."""
    newest = None
    for version in versions.values():
        if version.id == wanted and version.lifecycle != RETIRED:
            return version
        if version.lifecycle not in (RETIRED, DRAFT):
            newest = version
    return newest


def _read_versions(
    before: Mapping[str, TypeFacts], unchecked: set[int]
) -> dict[int, dict[int, VersionFacts]]:
    """By the type's row id, then by number. Texts are read of those alone that nobody has compiled yet."""
    checks = {
        version.id: version.check
        for facts in before.values()
        for version in facts.versions.values()
        if version.check is not None
    }
    rows = list(
        SchemaVersion.objects.order_by("event_type_id", "number").values_list(
            "id", "event_type_id", "number", "lifecycle", "created_at"
        )
    )
    checked = {pk for pk, kind, _, state, _ in rows if kind not in unchecked and state != RETIRED}
    missing = sorted(checked - checks.keys())
    for at in range(0, len(missing), PART):
        texts = SchemaVersion.objects.filter(pk__in=missing[at : at + PART]).values_list("id", "schema")
        checks.update({pk: Check(text) for pk, text in texts})
    found: dict[int, dict[int, VersionFacts]] = {}
    for pk, kind, number, state, created in rows:
        check = checks.get(pk) if pk in checked else None
        found.setdefault(kind, {})[number] = VersionFacts(pk, number, state, created, check)
    return found
