"""The verdict on one event: which schema version counts, whether it fits, and whether it is taken (docs/validation.md)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from catalog.schemas.validator import Validator
from delivery.cloudevents import CloudEvent, Refused
from delivery.cloudevents.problems import shown
from delivery.ingest.dataschema import named
from delivery.ingest.notices import Notice
from delivery.ingest.registered import DRAFT, OFF, REJECT, RETIRED, TypeFacts, VersionFacts
from delivery.ingest.snapshot import BusFacts, Snapshot
from rules.engine import Event

NUMBERS_SHOWN = 10
STRANGER = "The type is not registered."


class Fault(NamedTuple):
    """Why an event does not fit. `kind` is a word of delivery/ingest/problem; `reason` tells the publisher.

    `version`: the number it was checked against, 0 for none. `place` and `cause` say what is wrong without any of the
    event's values, as it is counted; `personal` are the paths that no sample may show, None: no sample at all.
    """

    kind: str
    event: CloudEvent
    version: int
    reason: str
    attribute: str
    place: str
    cause: str
    personal: tuple[str, ...] | None


class Verdict(NamedTuple):
    """What is stored with an event: `schema_version` (a row id) and `valid` (1, 0, None: not checked).

    `fault`: why it does not fit; `taken`: whether it is stored all the same. `notice`: it uses what is deprecated.
    """

    schema_version: int | None = None
    valid: int | None = None
    fault: Fault | None = None
    taken: bool = True
    notice: Notice | None = None


class NotTaken(Refused):
    """The catalog does not allow the event; `fault` says why. `index` as in Refused."""

    def __init__(self, fault: Fault, index: int | None) -> None:
        super().__init__(fault.reason, attribute=fault.attribute, status=422, index=index)
        self.fault = fault


UNCHECKED = Verdict()


def judge(event: CloudEvent, view: Event, bus: BusFacts, snapshot: Snapshot) -> Verdict:
    """The verdict on `event`, which `view` shows to rules, as it arrives on `bus`."""
    facts = snapshot.types.get(event.type)
    if facts is None:
        return (
            UNCHECKED
            if bus.takes_unregistered
            else Verdict(fault=_unregistered(event, snapshot), taken=False)
        )
    if facts.lifecycle == RETIRED:
        return Verdict(fault=_retired(event, facts), taken=False)
    version, fault = facts.default, None
    if event.dataschema is not None:
        version, fault = _chosen(event, event.dataschema, facts, snapshot)
    notice = snapshot.notice(facts, version)
    if facts.validation == OFF:
        return Verdict(version.id if version is not None else None, notice=notice)
    if fault is None:
        if version is None:
            return Verdict(notice=notice)
        validator = version.check.validator if version.check is not None else None
        if validator is None:
            return Verdict(version.id, notice=notice)
        fault = _misfit(event, view, facts, version, validator)
        if fault is None:
            return Verdict(version.id, 1, notice=notice)
    return Verdict(version.id if version is not None else None, 0, fault, facts.validation != REJECT, notice)


def _chosen(
    event: CloudEvent, dataschema: str, facts: TypeFacts, snapshot: Snapshot
) -> tuple[VersionFacts | None, Fault | None]:
    """The version that the event names, and what is wrong with naming it. A foreign address names none."""
    address = named(dataschema)
    if address is None:
        return facts.default, None
    if event.type not in address.types:
        other = next((name for name in address.types if name in snapshot.types), None)
        if other is None:
            return facts.default, None
        reason = (
            f"The dataschema is version {address.number} of {other}, but the event's type is {event.type}. "
            f"Name a version of {event.type}, or leave dataschema out."
        )
        return None, _named_wrongly(event, facts, reason, "Names a version of another type.")
    version = facts.versions.get(address.number)
    called = f"version {address.number} of {event.type}"
    if version is None:
        reason = f"This event names {called}; {_there_are(facts)}"
        return None, _named_wrongly(event, facts, reason, "Names a version that does not exist.")
    if version.lifecycle == RETIRED:
        use = f" Use version {facts.default.number}." if facts.default is not None else ""
        reason = f"This event names {called}, which is retired.{use}"
        fault = _named_wrongly(event, facts, reason, "Names a version that is retired.")
        return version, fault._replace(version=version.number)
    return version, None


def _there_are(facts: TypeFacts) -> str:
    numbers = [str(one.number) for one in facts.versions.values() if one.lifecycle not in (RETIRED, DRAFT)]
    if not numbers:
        return "there is none to name yet. Leave dataschema out."
    if len(numbers) == 1:
        return f"there is {numbers[0]} only."
    if len(numbers) > NUMBERS_SHOWN:
        return f"the newest are {', '.join(numbers[-NUMBERS_SHOWN:-1])} and {numbers[-1]}."
    return f"there are {', '.join(numbers[:-1])} and {numbers[-1]}."


def _named_wrongly(event: CloudEvent, facts: TypeFacts, reason: str, cause: str) -> Fault:
    return Fault("schema", event, 0, reason, "dataschema", "", cause, facts.personal)


def _unregistered(event: CloudEvent, snapshot: Snapshot) -> Fault:
    near = snapshot.names.near(event.type)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    reason = (
        f"There is no event type {shown(event.type)}, and this bus takes registered types only.{meant} "
        "Correct the type, or register it in the console first: Events, Register."
    )
    # Nobody has said which of its fields are personal.
    return Fault("unregistered", event, 0, reason, "type", "", STRANGER, None)


def _retired(event: CloudEvent, facts: TypeFacts) -> Fault:
    said = facts.farewell
    ended = f" Its last day was {said.ends_on.isoformat()}." if said and said.ends_on else ""
    instead = f" Send {said.successor} in its place." if said and said.successor else ""
    why = f" Its owner says: {said.words}" if said and said.words else ""
    reason = f"The event type {event.type} is retired and takes no more events.{ended}{instead}{why}"
    return Fault("retired-type", event, 0, reason, "type", "", "The type is retired.", facts.personal)


def _misfit(
    event: CloudEvent, view: Event, facts: TypeFacts, version: VersionFacts, validator: Validator
) -> Fault | None:
    """Why the data does not fit the version; None when it does."""
    place = ""
    if event.data is None:
        if validator.is_valid(None):
            return None
        reason = cause = "The event has no data."
    elif not event.data_is_json:
        reason = f"The data is {event.datacontenttype or 'not JSON'}, the schema is for JSON."
        cause = "The data is not JSON."
    else:
        try:
            value = view.data
        except (ValueError, msgspec.MsgspecError):
            reason = cause = "The data is not JSON."
        else:
            if validator.is_valid(value):
                return None
            first = validator.errors(value)[0]
            reason = f"{'data' + first.pointer if first.pointer else 'data'}: {first.message.rstrip('.')}."
            place, cause = first.place, first.cause
    reason = f"{reason} It does not fit version {version.number} of {event.type}."
    return Fault("schema", event, version.number, reason, "data", place, cause, facts.personal)
