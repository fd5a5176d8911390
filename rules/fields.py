"""The fields that a rule or a template can ask for: context attributes, and what the types' schemas say of data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from catalog.facts import facts
from catalog.models import EventType, SchemaVersion
from catalog.personal import MASK, hide
from catalog.schemas import fields as schema_fields
from rules.engine import Event

ATTRIBUTES = ("type", "source", "subject", "id", "time", "datacontenttype", "dataschema")
DEPTH, MOST = 8, 300


class Field(NamedTuple):
    """`path` as a pattern names it, `place` as a template does; `kind` a JSON type or ""; `sample` a value seen."""

    path: str
    place: str
    kind: str
    sample: str


def fields_of(types: Iterable[str]) -> list[Field]:
    """The fields of events of those types: attributes first, then data as the newest schema of each type has it."""
    listed = list(types)[:20]
    recent = [event for name in listed[:3] for event in facts().recent(name, 1)]
    seen: dict[str, Any] = {}
    for event in recent:
        try:
            # For everybody: whoever writes a rule needs the names, not what is personal in one event.
            paths = EventType.objects.filter(name=event.type).values_list("personal", flat=True).first()
            seen = json.loads(hide(event.raw, paths or ()).text)
            break
        except ValueError:
            continue
    found = {name: Field(name, name, "string", _sample(seen.get(name))) for name in ATTRIBUTES}
    newest = SchemaVersion.objects.filter(event_type__in=EventType.objects.filter(name__in=listed))
    latest = {version.event_type_id: version for version in newest.order_by("event_type", "number")}
    for version in latest.values():
        try:
            schema = json.loads(version.schema)
        except ValueError:
            continue
        example = seen.get("data") if seen else _example(version)
        for path, place, kind in _described(schema):
            found.setdefault(path, Field(path, place, kind, _sample(_at(example, path))))
            if len(found) >= MOST:
                return list(found.values())
    # What a schema leaves out may be there all the same: what real events hold comes after it.
    for path, place, value in _leaves(seen.get("data"), "data", "data", DEPTH):
        found.setdefault(path, Field(path, place, _kind(value), _sample(value)))
    for name, value in seen.items():
        if name not in ("data", "data_base64", "specversion"):
            found.setdefault(name, Field(name, name, _kind(value), _sample(value)))
    return list(found.values())[:MOST]


def places_in(event: Event) -> list[str]:
    """The places of an event that have a value of their own, as a template names them."""
    places = [place for _path, place, _value in _leaves(event.data, "data", "data", DEPTH)]
    return [*event.attributes, *places[:MOST]]


def kinds_of(fields: Iterable[Field]) -> dict[str, str]:
    """JSON type of each path."""
    return {field.path: field.kind for field in fields}


def _described(schema: Any) -> Iterator[tuple[str, str, str]]:
    """Path, place and kind of each field that a schema describes and that has a value of its own."""
    for field in schema_fields.rows_of(schema_fields.fields_of(schema)):
        names = [name for name in field.path if name != "[]"]
        # A dot or a bracket in a name would be read as a step of the path.
        if not names or any(set(name) & set(".[]$\"'{}") for name in names):
            continue
        has_members = any(child.path[-1] != "[]" for child in field.children)
        if field.kind == "object" or has_members:
            continue
        kind = field.children[0].kind if field.kind == "array" and field.children else field.kind
        place = "data." + ".".join(field.path).replace(".[]", "[0]")
        if field.kind == "array":
            place += "[0]"
        yield "data." + ".".join(names), place, "" if kind == "any" else kind


def _leaves(value: Any, path: str, place: str, depth: int) -> Iterator[tuple[str, str, Any]]:
    if depth == 0:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}", f"{place}.{name}", depth - 1)
    elif isinstance(value, list):
        if value:
            yield from _leaves(value[0], path, f"{place}[0]", depth - 1)
    elif path != "data":
        yield path, place, value


def _at(value: Any, path: str) -> Any:
    for name in path.split(".")[1:]:
        while isinstance(value, list):
            value = value[0] if value else None
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _example(version: SchemaVersion) -> Any:
    try:
        return json.loads(version.example)
    except ValueError:
        return None


def _kind(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return names.get(type(value), "")


def _sample(value: Any) -> str:
    if value is None or value == MASK or isinstance(value, dict | list):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 24 else text[:23] + "…"
