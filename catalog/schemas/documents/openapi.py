"""Event types out of OpenAPI documents 3.0 to 3.2: webhooks, callbacks, marked operations, component schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

from catalog.schemas.dialects import DEFAULT, DIALECTS, DRAFT_7, dialect_of
from catalog.schemas.documents.bundle import Bundle, Convert, bundle
from catalog.schemas.documents.document import (
    CANDIDATES,
    TYPE_MARKS,
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
from catalog.schemas.documents.openapi_check import BASE_DIALECT, check_openapi
from catalog.schemas.documents.openapi_places import Operation, media_types, members, operations
from catalog.schemas.documents.openapi_schema import to_json_schema
from catalog.schemas.documents.pointers import resolved
from catalog.schemas.documents.written import Written
from catalog.schemas.text import pointer_of

# What says the source of such an event.
_SOURCE_MARKS = ("x-event-source", "x-cloudevents-source", "x-ce-source")
_CLOUD_EVENT = frozenset({"specversion", "type", "source", "data"})


def version_of(document: dict[str, Any]) -> str | None:
    """3.0, 3.1 or 3.2; None for a version that is not read."""
    found = re.match(r"3\.[012](?=\.\d)", str(document.get("openapi", "")))
    return found[0] if found else None


def read_openapi(written: Written) -> Document:
    """The document, its candidates in this order: webhooks, callbacks, x-… marks, component schemas."""
    whole: dict[str, Any] = written.value
    declared = text_of(whole.get("openapi")) or str(whole.get("openapi", ""))
    version = version_of(whole)
    info = whole.get("info")
    title = first_line(info.get("title")) if isinstance(info, dict) else ""
    if version is None:
        message = (
            "This is Swagger 2.0. Convert it to OpenAPI 3 first, then paste the result."
            if "swagger" in whole
            else f"OpenAPI version “{declared[:40]}” is not read: 3.0, 3.1 and 3.2 are, written like 3.1.0."
        )
        place = "/swagger" if "swagger" in whole else "/openapi"
        return Document(Kind.OPENAPI, declared[:40], title, (), (written.mistake(place, message),))
    mistakes = check_openapi(written, version)
    reader = _Reader(written, version)
    aws = _aws_event(whole)
    if aws is not None:
        return Document(Kind.AWS_SCHEMA, declared, title, (reader.aws(aws),), tuple(mistakes))
    every = chain(reader.webhooks(), reader.callbacks(), reader.marked(), reader.components())
    candidates = tuple(islice(_without_repeats(every), CANDIDATES + 1))
    return Document(Kind.OPENAPI, declared, title, candidates, tuple(mistakes))


def schema_bundle(
    whole: dict[str, Any], schema: Any, pointer: str, version: str, convert: Convert | None = None
) -> Bundle:
    """A schema of an OpenAPI document as JSON Schema that stands alone: draft 7 from 3.0, else what it declares.

    convert: changes each part; for 3.0 it must make draft 7 of it, as to_json_schema does. Raises NotBundled.
    """
    if version == "3.0":
        return bundle(whole, schema, pointer, DRAFT_7 + "#", "definitions", convert or to_json_schema)
    declared = schema.get("$schema") if isinstance(schema, dict) else None
    declared = declared or whole.get("jsonSchemaDialect")
    key = (
        None
        if declared is None or BASE_DIALECT.fullmatch(str(declared))
        else dialect_of({"$schema": declared})
    )
    key = key or DEFAULT
    if DIALECTS[key].year <= 7:
        return bundle(whole, schema, pointer, f"{key}#", "definitions", convert)
    return bundle(whole, schema, pointer, key, "$defs", convert)


class _Body(NamedTuple):
    """The JSON body of an operation."""

    schema: Any
    pointer: str
    examples: tuple[Example, ...]


class _Reader:
    def __init__(self, written: Written, version: str) -> None:
        self.written, self.version = written, version
        self.whole: dict[str, Any] = written.value
        self.operations = list(operations(self.whole))
        self.made: dict[str, Bundle] = {}
        info = self.whole.get("info")
        self.tags = tuple(
            tag
            for one in self.whole.get("tags", []) or []
            if isinstance(one, dict) and (tag := first_line(one.get("name")))
        )
        self.prefix = suggested_name(info.get("title")) if isinstance(info, dict) else ""

    def webhooks(self) -> Iterator[Candidate]:
        for one in self.operations:
            if one.group == "webhooks":
                name = suggested_name(self.prefix, one.name) if "." not in one.name else usable_name(one.name)
                yield self.operation(one, Origin.WEBHOOK, name)

    def callbacks(self) -> Iterator[Candidate]:
        for one in self.operations:
            if one.group == "callbacks":
                found = self.operation(one, Origin.CALLBACK, suggested_name(self.prefix, one.name))
                note = f"Sent to the address in {one.expression}"
                note += f", given to {one.owner}." if one.owner else "."
                docs = f"{found.docs}\n\n{note}" if found.docs else note
                yield _with(found, docs=docs)

    def marked(self) -> Iterator[Candidate]:
        """Operations of paths that say that they are events, and lists of events under x-events."""
        for one in self.operations:
            if one.group == "paths" and _mark(one.value, TYPE_MARKS):
                yield self.operation(one, Origin.EXTENSION, "")
        events = self.whole.get("x-events")
        pairs: list[tuple[str | int, Any]] = []
        if isinstance(events, dict):
            pairs = list(events.items())
        elif isinstance(events, list):
            pairs = list(enumerate(events))
        for key, value in pairs:
            yield from self.event(key, value, pointer_of(["x-events", key]))

    def event(self, key: str | int, value: Any, pointer: str) -> Iterator[Candidate]:
        """One of x-events: a schema, or an object that holds one under schema, payload or data."""
        try:
            value, pointer = resolved(self.whole, value, pointer)
        except LookupError:
            return
        held = next(
            (name for name in ("schema", "payload", "data") if isinstance(value.get(name), dict)), None
        )
        schema, place = (value[held], f"{pointer}/{held}") if held else (value, pointer)
        name = _mark(value, (*TYPE_MARKS, "type" if held else "", "name"))
        name = usable_name(name) or (usable_name(key) if isinstance(key, str) else "")
        examples = _examples(self.whole, value, pointer) if held else ()
        yield self.candidate(name, Origin.EXTENSION, schema, place, value, examples)

    def components(self) -> Iterator[Candidate]:
        components = self.whole.get("components")
        kept = components.get("schemas") if isinstance(components, dict) else None
        every = [(name, schema, _mark(schema, TYPE_MARKS)) for name, schema in members(kept)]
        for name, schema, mark in sorted(every, key=lambda one: not one[2]):
            suggested = usable_name(mark or name) if mark or "." in name else suggested_name(name)
            origin = Origin.EXTENSION if mark else Origin.COMPONENT
            pointer = pointer_of(["components", "schemas", name])
            yield self.candidate(suggested, origin, schema, pointer, schema, ())

    def aws(self, event: dict[str, Any]) -> Candidate:
        """The event type of a schema that AWS EventBridge discovered: the data is its `detail`."""
        pointer = "/components/schemas/AWSEvent"
        detail_type = first_line(event.get("x-amazon-events-detail-type"))
        source = first_line(event.get("x-amazon-events-source"))
        properties = event.get("properties")
        detail = properties.get("detail") if isinstance(properties, dict) else None
        found = self.candidate(
            usable_name(detail_type) or suggested_name(source, "event"),
            Origin.COMPONENT,
            detail if detail is not None else True,
            f"{pointer}/properties/detail",
            event,
            (),
        )
        docs = f"On AWS EventBridge its detail-type is “{detail_type}”." if detail_type else ""
        return _with(found, source=source, title=detail_type or found.title, docs=docs, sent_as=detail_type)

    def operation(self, one: Operation, origin: Origin, name: str) -> Candidate:
        value, item = one.value, one.path_item
        marked = _mark(value, TYPE_MARKS) or _mark(item, TYPE_MARKS)
        name = usable_name(marked) or name
        about = {
            "title": value.get("title"),
            "summary": value.get("summary") or item.get("summary"),
            "description": value.get("description") or item.get("description"),
            "tags": value.get("tags"),
            "source": _mark(value, _SOURCE_MARKS) or _mark(item, _SOURCE_MARKS),
            "name": one.name,
        }
        body = self.body(one)
        if body is None:
            found = self.candidate(name, origin, None, one.pointer, about, ())
            said = "It describes no JSON body: give its requestBody a media type with a schema."
            return _with(found, refused=said)
        return self.candidate(name, origin, body.schema, body.pointer, about, body.examples)

    def body(self, one: Operation) -> _Body | None:
        offered = list(media_types(self.whole, one.value.get("requestBody"), f"{one.pointer}/requestBody"))
        offered.sort(key=lambda entry: _media_rank(entry[0]))
        for name, value, pointer in offered:
            if _media_rank(name) < 9 and "schema" in value:
                examples = _examples(self.whole, value, pointer)
                return _Body(value["schema"], f"{pointer}/schema", examples)
        return None

    def candidate(
        self, name: str, origin: Origin, schema: Any, pointer: str, about: Any, examples: tuple[Example, ...]
    ) -> Candidate:
        about = about if isinstance(about, dict) else {}
        schema, place, envelope, source = self.data_of(schema, pointer)
        inside = schema if isinstance(schema, dict) else {}
        if envelope:
            name = envelope if origin is not Origin.EXTENSION or not name else name
            examples = tuple(one for example in examples if (one := _data_example(example)) is not None)
        tags = about.get("tags")
        return Candidate(
            name=name,
            origin=origin,
            pointer=place,
            line=self.written.line_of(place),
            source=first_line(about.get("source"), _mark(about, _SOURCE_MARKS), source),
            title=first_line(about.get("title"), inside.get("title"), about.get("name"), name),
            summary=first_line(about.get("summary"), about.get("description"), inside.get("description")),
            docs=text_of(about.get("description")) or text_of(inside.get("description")),
            tags=tuple(first_line(tag) for tag in tags if first_line(tag)) if isinstance(tags, list) else (),
            given_examples=examples or _schema_examples(inside, place),
            make=None if schema is None else partial(self.bundle, schema, place),
            written=self.written,
        )

    def bundle(self, schema: Any, pointer: str) -> Bundle:
        """Made once for all candidates that share a schema."""
        if pointer not in self.made:
            self.made[pointer] = schema_bundle(self.whole, schema, pointer, self.version)
        return self.made[pointer]

    def data_of(self, schema: Any, pointer: str) -> tuple[Any, str, str, str]:
        """The schema of data when `schema` describes a whole CloudEvent, and the type and source it fixes."""
        try:
            found, place = resolved(self.whole, schema, pointer)
        except LookupError:
            return schema, pointer, "", ""
        properties = found.get("properties")
        if not isinstance(properties, dict) or not properties.keys() >= _CLOUD_EVENT:
            return schema, pointer, "", ""
        kind, source = _fixed(properties["type"]), _fixed(properties["source"])
        name = usable_name(kind) if kind else ""
        return properties["data"], f"{place}/properties/data", name, source


def _with(candidate: Candidate, **changes: Any) -> Candidate:
    """A changed copy (dataclasses.replace would not carry the fields that are no part of comparing)."""
    values = {name: getattr(candidate, name) for name in candidate.__dataclass_fields__}
    return Candidate(**{**values, **changes})


def _without_repeats(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """A webhook whose body is a component is told once for each name."""
    seen: set[tuple[str, str]] = set()
    for one in candidates:
        if (one.name, one.pointer) not in seen:
            seen.add((one.name, one.pointer))
            yield one


def _aws_event(whole: dict[str, Any]) -> dict[str, Any] | None:
    components = whole.get("components")
    kept = components.get("schemas") if isinstance(components, dict) else None
    event = kept.get("AWSEvent") if isinstance(kept, dict) else None
    return event if isinstance(event, dict) else None


def _mark(value: Any, names: tuple[str, ...]) -> str:
    if not isinstance(value, dict):
        return ""
    return next((text for name in names if (text := first_line(value.get(name)))), "")


def _fixed(schema: Any) -> str:
    """The only value that a schema allows, as far as it says so itself."""
    if not isinstance(schema, dict):
        return ""
    options = schema.get("enum")
    return first_line(
        schema.get("const"), options[0] if isinstance(options, list) and len(options) == 1 else None
    )


def _media_rank(name: str) -> int:
    bare = name.partition(";")[0].strip().lower()
    if bare == "application/json":
        return 0
    if bare == "application/cloudevents+json":
        return 1
    return 2 if bare.endswith("+json") else 3 if bare in ("application/*", "*/*") else 9


def _examples(whole: dict[str, Any], holder: dict[str, Any], pointer: str) -> tuple[Example, ...]:
    """The examples of a media type or of one of x-events."""
    found = []
    if "example" in holder:
        found.append(Example(holder["example"], f"{pointer}/example"))
    several = holder.get("examples")
    if isinstance(several, list):
        found.extend(Example(one, f"{pointer}/examples/{index}") for index, one in enumerate(several))
    elif isinstance(several, dict):
        for name, one in several.items():
            try:
                one, place = resolved(whole, one, pointer + pointer_of(["examples", name]))
            except LookupError:
                continue
            given = [name for name in ("value", "dataValue") if name in one]
            found.extend(Example(one[name], f"{place}/{name}") for name in given)
    return tuple(found[:20])


def _schema_examples(schema: dict[str, Any], pointer: str) -> tuple[Example, ...]:
    several = schema.get("examples")
    if isinstance(several, list):
        return tuple(Example(one, f"{pointer}/examples/{index}") for index, one in enumerate(several[:20]))
    return (Example(schema["example"], f"{pointer}/example"),) if "example" in schema else ()


def _data_example(example: Example) -> Example | None:
    """The data of an example that is a whole CloudEvent."""

    if isinstance(example.value, dict) and "data" in example.value:
        return Example(example.value["data"], f"{example.pointer}/data")
    return None
