"""What rules can deliver to, filled from above: delivery registers its connectors here when Django starts.

Rules keeps a target's connector as a name and its config as data; what they mean, only delivery knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from django.http import HttpRequest
from django.utils.functional import Promise

from catalog.models import Team
from rules.engine import Filter

if TYPE_CHECKING:
    from rules.models import Target


@dataclass(frozen=True)
class Connector:
    """A kind of system that events are delivered to.

    `schema`: JSON Schema of its config.  `describe(config)`: one line that says where it goes, without secrets; raises
    ValueError for a config that is not valid.  `check(config)`: what is wrong with a config, a sentence per field
    ("" for the whole); empty when it is good.
    """

    name: str
    label: str
    icon: str
    schema: Mapping[str, Any]
    describe: Callable[[dict[str, Any]], str]
    check: Callable[[dict[str, Any]], Mapping[str, str]]


class Made(NamedTuple):
    """A place that was made: its name, and the path of its page; "" for who may not see it."""

    name: str
    page: str


def _never_made(request: HttpRequest, connector: str, config: dict[str, Any]) -> Made | None:
    return None


@dataclass(frozen=True)
class Place:
    """Somewhere to deliver that Signalbox makes itself on the spot.

    `make(request, team, name)` makes it and returns the target's connector and config.  `find(request, connector,
    config)`: the one that a target with those settings delivers to; None when it delivers elsewhere.
    """

    name: str
    label: str | Promise
    icon: str
    sentence: str | Promise
    make: Callable[[HttpRequest, Team, str], tuple[str, dict[str, Any]]]
    find: Callable[[HttpRequest, str, dict[str, Any]], Made | None] = _never_made


_connectors: dict[str, Connector] = {}
_places: dict[str, Place] = {}


def _nothing_wrong(config: dict[str, Any]) -> Mapping[str, str]:
    return {}


def register(
    name: str,
    label: str,
    icon: str,
    schema: Mapping[str, Any],
    describe: Callable[[dict[str, Any]], str],
    check: Callable[[dict[str, Any]], Mapping[str, str]] = _nothing_wrong,
) -> None:
    """Makes a connector known to the editor; one of the same name is replaced."""
    _connectors[name] = Connector(name, label, icon, schema, describe, check)


def register_place(place: Place) -> None:
    """Makes a place known to the editor, before the connectors; one of the same name is replaced."""
    _places[place.name] = place


def connectors() -> list[Connector]:
    """All connectors by label."""
    return sorted(_connectors.values(), key=lambda connector: connector.label)


def connector(name: str) -> Connector | None:
    """The connector of that name, None when this installation has none."""
    return _connectors.get(name)


def places() -> list[Place]:
    """All places that are made on the spot."""
    return list(_places.values())


def place(name: str) -> Place | None:
    """The place of that name."""
    return _places.get(name)


def describe(connector_name: str, config: dict[str, Any]) -> str:
    """One line that says where a target goes; the connector's name when it cannot be said."""
    found = _connectors.get(connector_name)
    if found is None:
        return connector_name
    try:
        return found.describe(config)
    except ValueError:
        return found.label


def label_of(connector_name: str) -> str:
    """How people call a connector."""
    found = _connectors.get(connector_name)
    return found.label if found else connector_name


def icon_of(connector_name: str) -> str:
    """The lucide icon of a connector."""
    found = _connectors.get(connector_name)
    return found.icon if found else "plug"


# ── where a new target starts ──

# From now; from the oldest event kept; from the first event received at a time; from the event with a seq.
Since = Literal["now", "beginning"] | datetime | int


class Counted(NamedTuple):
    """`matching` of the `looked_at` past events would be taken; lower bounds, both, unless `exact`."""

    matching: int
    looked_at: int
    exact: bool


class Starting(Protocol):
    """How a new target starts in the past. Both refuse a position that no event can have with a ValueError."""

    def count(self, wanted: Filter, bus: int, since: Since) -> Counted:
        """How many kept events of the bus (its row id) the filter takes from `since` on; takes about 0.5 s at most."""
        ...

    def start(self, target: Target, since: Since) -> None:
        """Lets a target begin at `since`. Call it in the transaction that saves the target."""
        ...


_starting: Starting | None = None


def register_starting(starting: Starting) -> None:
    """Makes starting in the past possible, in this process."""
    global _starting
    _starting = starting


def starting() -> Starting | None:
    """Who starts targets in the past; None when nobody can."""
    return _starting
