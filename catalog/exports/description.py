"""The catalog as exporters see it: values without a database, in a fixed order."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from catalog.schemas.dialects import DEFAULT, dialect_of


class Lifecycle(StrEnum):
    """Where an event type stands: not promised yet, promised, to be left, gone."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when a type should not be built upon, when it goes, which type takes its place (a name), and why."""

    effective: datetime | None = None
    removal: date | None = None
    successor: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A schema version: `schema` and `examples` are JSON texts."""

    number: int
    schema: str
    created_at: datetime
    examples: tuple[str, ...] = ()
    notes: str = ""
    lifecycle: Lifecycle = Lifecycle.ACTIVE

    def read(self) -> tuple[Any, str]:
        """The schema as a value, and its dialect: a key of catalog.schemas.dialects.DIALECTS."""
        schema = value_of(self.schema)
        # Only schemas of a dialect we know are registered.
        return schema, dialect_of(schema) or DEFAULT


@dataclass(frozen=True, slots=True)
class Type:
    """An event type; `domain`, `team` and `sources` are slugs, `versions` begin with the oldest.

    `default` is the number of the version that was chosen as the one that counts; `personal` holds paths of data.
    """

    name: str
    summary: str
    domain: str
    team: str
    created_at: datetime
    docs: str = ""
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    deprecation: Deprecation | None = None
    compatibility: str = ""
    personal: tuple[str, ...] = ()
    default: int | None = None
    versions: tuple[Version, ...] = ()

    @property
    def current(self) -> Version | None:
        """The version that counts: the chosen one, else the newest active, else the newest deprecated one."""
        for one in self.versions:
            if one.number == self.default:
                return one
        for state in (Lifecycle.ACTIVE, Lifecycle.DEPRECATED):
            for one in reversed(self.versions):
                if one.lifecycle == state:
                    return one
        return None

    @property
    def published(self) -> tuple[Version, ...]:
        """The versions that were ever promised, also those that are gone: all but drafts, and none of a draft."""
        if self.lifecycle == Lifecycle.DRAFT:
            return ()
        return tuple(one for one in self.versions if one.lifecycle != Lifecycle.DRAFT)

    @property
    def promised(self) -> bool:
        """Whether others may build upon it now: it is active or deprecated."""
        return self.lifecycle in (Lifecycle.ACTIVE, Lifecycle.DEPRECATED)


@dataclass(frozen=True, slots=True)
class Source:
    """A system that emits events; `uri` is the CloudEvents source, `bus` a bus's name, `team` a slug."""

    slug: str
    name: str
    uri: str
    bus: str
    team: str
    created_at: datetime
    description: str = ""


@dataclass(frozen=True, slots=True)
class Bus:
    """A bus; `open` says that publishing needs no token."""

    name: str
    description: str = ""
    open: bool = False


@dataclass(frozen=True, slots=True)
class Team:
    """A team by its slug."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A shelf of the marketplace; `team` is the slug of who keeps it, empty when nobody does."""

    slug: str
    name: str
    team: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything, as reached at `url` (scheme and host, no slash at the end)."""

    url: str
    buses: tuple[Bus, ...] = ()
    sources: tuple[Source, ...] = ()
    types: tuple[Type, ...] = ()
    teams: tuple[Team, ...] = ()
    domains: tuple[Domain, ...] = ()

    def emitted_by(self, source: Source) -> Catalog:
        """The part of the catalog that is about one source: it, its bus, its types and who looks after them."""
        return self._part(source, [one for one in self.types if source.slug in one.sources])

    def by_source(self) -> Iterator[tuple[Source, Catalog]]:
        """Each source with its part of the catalog."""
        types = self.types_of_sources()
        return ((source, self._part(source, types[source.slug])) for source in self.sources)

    def types_of_sources(self) -> dict[str, list[Type]]:
        """What each source emits, by slug."""
        found: dict[str, list[Type]] = {source.slug: [] for source in self.sources}
        for kind in self.types:
            for slug in kind.sources:
                if slug in found:
                    found[slug].append(kind)
        return found

    def _part(self, source: Source, types: list[Type]) -> Catalog:
        buses = tuple(bus for bus in self.buses if bus.name == source.bus)
        return replace(self, buses=buses, sources=(source,), types=tuple(types)).without_strangers()

    def without_strangers(self) -> Catalog:
        """Without the teams and domains that nothing here belongs to."""
        shelves = {kind.domain for kind in self.types}
        domains = tuple(one for one in self.domains if one.slug in shelves)
        teams = {kind.team for kind in self.types} | {one.team for one in self.sources}
        teams |= {one.team for one in domains}
        return replace(self, domains=domains, teams=tuple(one for one in self.teams if one.slug in teams))

    def owners(self) -> dict[str, str]:
        """The names of teams by slug."""
        return {team.slug: team.name for team in self.teams}

    def promised(self) -> Iterator[Type]:
        """The types others may build upon now."""
        return (one for one in self.types if one.promised)

    def schema_url(self, kind: Type, version: Version) -> str:
        """The address of a version's schema, for the CloudEvents attribute dataschema. It never changes."""
        return f"{self.schemas_url(kind.name)}/{version.number}"

    def schemas_url(self, name: str) -> str:
        """The address of the newest schema of the type called `name`."""
        return f"{self.url}/schemas/{quote(name, safe='/:')}"

    def page_url(self, name: str) -> str:
        """The address in the console of the type called `name`."""
        return f"{self.url}/events/{quote(name, safe='/:')}/"

    def revision(self) -> str:
        """A version for the whole, which grows with every schema version that is registered."""
        return f"1.{sum(len(one.versions) for one in self.types)}.0"


def value_of(text: str) -> Any:
    """The value of stored JSON `text`; an empty object when it is none, as the console's pages show it."""
    try:
        return json.loads(text, parse_float=_finite)
    except (ValueError, RecursionError):
        return {}


def values_of(texts: Iterable[str]) -> list[Any]:
    """The values of those of `texts` that are JSON."""
    found = []
    for text in texts:
        try:
            found.append(json.loads(text, parse_float=_finite))
        except (ValueError, RecursionError):
            continue
    return found


def moment(value: datetime) -> str:
    """`value` as RFC 3339 text in UTC (settings.TIME_ZONE), seconds only."""
    return value.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _finite(text: str) -> float:
    """JSON has 1e400, and a float has not: the nearest one instead of an infinity, which JSON cannot write."""
    return max(-sys.float_info.max, min(sys.float_info.max, float(text)))
