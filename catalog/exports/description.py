"""The catalog as exporters see it: values without a database, in a fixed order."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote


class Lifecycle(StrEnum):
    """Where an event type stands: not promised yet, promised, to be left, gone."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when a type should not be built upon, when it goes, and the name of the type that takes its place."""

    effective: datetime | None = None
    removal: datetime | None = None
    successor: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A schema version: `schema` and `examples` are JSON texts, `dialect` a key of catalog.schemas.dialects.DIALECTS."""

    number: int
    schema: str
    dialect: str
    created_at: datetime
    examples: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Type:
    """An event type; `domain`, `team` and `sources` are slugs, `versions` begin with the oldest."""

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
    versions: tuple[Version, ...] = ()

    @property
    def current(self) -> Version | None:
        """The newest version, None while there is none."""
        return self.versions[-1] if self.versions else None

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
        types = tuple(one for one in self.types if source.slug in one.sources)
        domains = tuple(one for one in self.domains if any(one.slug == kind.domain for kind in types))
        teams = {source.team, *(kind.team for kind in types), *(one.team for one in domains)}
        return replace(
            self,
            buses=tuple(bus for bus in self.buses if bus.name == source.bus),
            sources=(source,),
            types=types,
            teams=tuple(team for team in self.teams if team.slug in teams),
            domains=domains,
        )

    def promised(self) -> Iterator[Type]:
        """The types others may build upon now."""
        return (one for one in self.types if one.promised)

    def schema_url(self, kind: Type, version: Version) -> str:
        """The address of a version's schema, for the CloudEvents attribute dataschema. It never changes."""
        return f"{self.schemas_url(kind)}/{version.number}"

    def schemas_url(self, kind: Type) -> str:
        """The address of a type's newest schema."""
        return f"{self.url}/schemas/{quote(kind.name, safe='/:')}"

    def page_url(self, kind: Type) -> str:
        """The address of a type's page in the console."""
        return f"{self.url}/events/{quote(kind.name, safe='/:')}/"

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
