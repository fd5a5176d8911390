"""Teams, buses, tokens, sources, event types, schema versions, what was seen of events and what is searched."""

from catalog.models.event_types import Approval, Draft, EventType, Lifecycle, SchemaVersion
from catalog.models.finding import FieldUse, Ignored, SearchEntry, Wanted, Wish
from catalog.models.names import HUES, NAME, TYPE_NAME, TYPE_PREFIX, Stamp
from catalog.models.observed import Observation, Violation
from catalog.models.owners import Domain, Team
from catalog.models.sources import Bus, Source
from catalog.models.tokens import Token

__all__ = [
    "HUES",
    "NAME",
    "TYPE_NAME",
    "TYPE_PREFIX",
    "Approval",
    "Bus",
    "Domain",
    "Draft",
    "EventType",
    "FieldUse",
    "Ignored",
    "Lifecycle",
    "Observation",
    "SchemaVersion",
    "SearchEntry",
    "Source",
    "Stamp",
    "Team",
    "Token",
    "Violation",
    "Wanted",
    "Wish",
]
