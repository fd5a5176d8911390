"""Event types out of pasted events: CloudEvents, events in the envelope of AWS EventBridge, data alone."""

from __future__ import annotations

from typing import Any

from catalog.schemas.documents.document import (
    Candidate,
    Document,
    Example,
    Kind,
    Origin,
    first_line,
    suggested_name,
    text_of,
    usable_name,
)
from catalog.schemas.documents.written import Written
from catalog.schemas.text import Mistake

_NEEDED = ("id", "source", "type")


def is_cloud_event(value: Any) -> bool:
    """Whether `value` is meant as a CloudEvent in JSON format, complete or not."""
    return isinstance(value, dict) and "specversion" in value and ("type" in value or "data" in value)


def is_aws_event(value: Any) -> bool:
    """Whether `value` has the envelope of AWS EventBridge."""
    return (
        isinstance(value, dict) and {"detail", "detail-type"} <= value.keys() and "specversion" not in value
    )


def read_cloud_events(written: Written) -> Document:
    """One event, or a batch: an event type for each `type` in it, with the data of its events as examples."""
    several = isinstance(written.value, list)
    events = written.value if several else [written.value]
    mistakes: list[Mistake] = []
    examples: dict[str, list[Example]] = {}
    firsts: dict[str, tuple[dict[str, Any], str]] = {}
    for index, event in enumerate(events):
        pointer = f"/{index}" if several else ""
        if not is_cloud_event(event):
            mistakes.append(written.mistake(pointer, "This is no CloudEvent, as the others in the list are."))
            continue
        mistakes += _attributes(written, event, pointer)
        kind = text_of(event.get("type"))
        firsts.setdefault(kind, (event, pointer))
        kept = examples.setdefault(kind, [])
        if "data" in event and len(kept) < 20:
            kept.append(Example(event["data"], f"{pointer}/data"))
    candidates = [
        _candidate(written, kind, event, pointer, tuple(examples[kind]))
        for kind, (event, pointer) in firsts.items()
    ]
    version = first_line(firsts[next(iter(firsts))][0].get("specversion")) if firsts else ""
    return Document(Kind.CLOUD_EVENT, version, "", tuple(candidates), tuple(mistakes[:100]))


def _attributes(written: Written, event: dict[str, Any], pointer: str) -> list[Mistake]:
    mistakes = [
        written.mistake(pointer, f"“{name}” is missing, which every CloudEvent has.")
        for name in _NEEDED
        if name not in event
    ]
    mistakes += [
        written.mistake(f"{pointer}/{name}", f"“{name}” of a CloudEvent is a text that is not empty.")
        for name in _NEEDED
        if name in event and not text_of(event[name])
    ]
    if event.get("specversion") != "1.0":
        mistakes.append(written.mistake(f"{pointer}/specversion", "specversion is the text 1.0."))
    return mistakes


def _candidate(
    written: Written, kind: str, event: dict[str, Any], pointer: str, examples: tuple[Example, ...]
) -> Candidate:
    declared = first_line(event.get("dataschema"))
    note = f"Its events name the schema {declared} (dataschema)." if declared else ""
    refused = ""
    if not examples:
        refused = (
            "Its data is binary (data_base64), which a JSON Schema cannot describe."
            if "data_base64" in event
            else "The event has no data, so there is nothing to describe."
        )
    return Candidate(
        name=usable_name(kind),
        origin=Origin.EVENT,
        pointer=pointer,
        line=written.line_of(pointer),
        source=first_line(event.get("source")),
        title=kind,
        docs=note,
        given_examples=examples,
        refused=refused,
        written=written,
    )


def read_aws_event(written: Written) -> Document:
    """One event in the envelope of AWS EventBridge: `detail-type` is its type and `detail` its data."""
    event: dict[str, Any] = written.value
    detail_type, source = first_line(event["detail-type"]), first_line(event.get("source"))
    mistakes = []
    if not detail_type:
        mistakes.append(written.mistake("/detail-type", "“detail-type” is a text that says what happened."))
    if not source:
        mistakes.append(written.mistake("", "“source” is missing, which every event of EventBridge has."))
    candidate = Candidate(
        name=usable_name(detail_type),
        origin=Origin.EVENT,
        pointer="/detail",
        line=written.line_of("/detail"),
        source=source,
        title=detail_type,
        docs=f"On AWS EventBridge its detail-type is “{detail_type}”." if detail_type else "",
        sent_as=detail_type,
        given_examples=(Example(event["detail"], "/detail"),),
        written=written,
    )
    return Document(Kind.AWS_EVENT, first_line(event.get("version")), "", (candidate,), tuple(mistakes))


def read_data(written: Written) -> Document:
    """Data of one event."""
    value = written.value
    named = value.get("type", value.get("event")) if isinstance(value, dict) else None
    candidate = Candidate(
        name=suggested_name(named),
        origin=Origin.EVENT,
        pointer="",
        line=written.line_of(""),
        given_examples=(Example(value, ""),),
        written=written,
    )
    return Document(Kind.DATA, "", "", (candidate,))
