"""Teams, people, buses, tokens, sources, event types, schema versions, what was seen of events and what is searched."""

from catalog.models.audit import AuditRecord, Unchangeable
from catalog.models.changes import Change, Follow, Notice, Reader
from catalog.models.event_types import Approval, Draft, EventType, Lifecycle, SchemaVersion
from catalog.models.finding import FieldUse, Ignored, SearchEntry, Wanted, Wish
from catalog.models.names import HUES, NAME, TYPE_NAME, TYPE_PREFIX, Stamp
from catalog.models.observed import Observation, Violation
from catalog.models.owners import Domain, Team
from catalog.models.people import Profile, people
from catalog.models.sources import Bus, Source
from catalog.models.tokens import Token

__all__ = [
    "HUES",
    "NAME",
    "TYPE_NAME",
    "TYPE_PREFIX",
    "Approval",
    "AuditRecord",
    "Bus",
    "Change",
    "Domain",
    "Draft",
    "EventType",
    "FieldUse",
    "Follow",
    "Ignored",
    "Lifecycle",
    "Notice",
    "Observation",
    "Profile",
    "Reader",
    "SchemaVersion",
    "SearchEntry",
    "Source",
    "Stamp",
    "Team",
    "Token",
    "Unchangeable",
    "Violation",
    "Wanted",
    "Wish",
    "people",
]
