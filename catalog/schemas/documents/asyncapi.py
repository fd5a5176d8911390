"""Event types out of AsyncAPI documents 2 and 3: their messages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from catalog.schemas.dialects import DRAFT_7
from catalog.schemas.documents.bundle import Bundle, bundle
from catalog.schemas.documents.document import (
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
from catalog.schemas.documents.openapi_schema import to_json_schema
from catalog.schemas.documents.pointers import check_references, resolved
from catalog.schemas.documents.written import Written
from catalog.schemas.text import Mistake, pointer_of

_ENVELOPE = frozenset({"type", "data"})
_JSON = ("application/schema+json", "application/schema+yaml", "application/vnd.aai.asyncapi")
_DRAFTS = {
    "draft-04": "http://json-schema.org/draft-04/schema#",
    "draft-06": "http://json-schema.org/draft-06/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}


def read_asyncapi(written: Written) -> Document:
    """The document, with a candidate for each message."""
    whole: dict[str, Any] = written.value
    version = str(whole.get("asyncapi", ""))
    info = whole.get("info")
    title = first_line(info.get("title")) if isinstance(info, dict) else ""
    if not version.startswith(("2.", "3.")):
        message = f"AsyncAPI version “{version[:40]}” is not read: 2 and 3 are."
        return Document(Kind.ASYNCAPI, version[:40], title, (), (written.mistake("/asyncapi", message),))
    mistakes = check_references(written) + list(_structure(written))
    candidates = [_candidate(written, name, value, pointer) for name, value, pointer in _messages(whole)]
    if not candidates and not mistakes:
        mistakes = [written.mistake("", "The document describes no message. Add messages to its channels.")]
    return Document(Kind.ASYNCAPI, version, title, tuple(candidates), tuple(mistakes))


def _structure(written: Written) -> Iterator[Mistake]:
    whole = written.value
    info = whole.get("info")
    if not isinstance(info, dict):
        yield written.mistake("", "“info” is missing, an object with title and version.")
    else:
        for name in ("title", "version"):
            if not isinstance(info.get(name), str):
                yield written.mistake("/info", f"“{name}” is missing, a text.")
    for name in ("channels", "components"):
        if name in whole and not isinstance(whole[name], dict):
            yield written.mistake(f"/{name}", f"“{name}” must be an object.")


def _messages(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every message once, with the name it is kept under and its pointer: of channels, then of components."""
    seen: set[str] = set()
    for name, value, pointer in _written_messages(whole):
        try:
            value, place = resolved(whole, value, pointer)
        except LookupError:
            continue  # The reference is a mistake of its own.
        if place not in seen and value:
            seen.add(place)
            kept = place.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
            yield kept if place != pointer else name, value, place


def _written_messages(whole: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    for name, value in _members(whole.get("channels")):
        pointer = pointer_of(["channels", name])
        try:
            channel, pointer = resolved(whole, value, pointer)
        except LookupError:
            continue
        for key, message in _members(channel.get("messages")):
            yield key, message, pointer + pointer_of(["messages", key])
        for verb in ("publish", "subscribe"):
            operation = channel.get(verb)
            if isinstance(operation, dict) and isinstance(operation.get("message"), dict):
                yield from _of_operation(operation, name, f"{pointer}/{verb}")
    components = whole.get("components")
    kept = components.get("messages") if isinstance(components, dict) else None
    for name, message in _members(kept):
        yield name, message, pointer_of(["components", "messages", name])


def _of_operation(operation: dict[str, Any], name: str, pointer: str) -> Iterator[tuple[str, Any, str]]:
    """AsyncAPI 2: one message, or several under oneOf."""
    message = operation["message"]
    several = message.get("oneOf")
    if isinstance(several, list):
        for index, one in enumerate(several):
            yield name, one, f"{pointer}/message/oneOf/{index}"
    else:
        yield name, message, f"{pointer}/message"


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((name, one) for name, one in value.items() if not name.startswith("x-"))


def _candidate(written: Written, kept: str, message: dict[str, Any], pointer: str) -> Candidate:
    whole = written.value
    payload, place = message.get("payload"), f"{pointer}/payload"
    form = first_line(message.get("schemaFormat"))
    if isinstance(payload, dict) and "schemaFormat" in payload and "schema" in payload:
        form = first_line(payload["schemaFormat"])
        payload, place = payload["schema"], f"{place}/schema"
    refused = _refused(form, payload)
    examples = tuple(_examples(message, pointer))
    kind = source = ""
    if not refused:
        payload, place, kind, source = _data_of(whole, payload, place)
        if kind:
            examples = tuple(_data_examples(examples))
    mark = first_line(*(message.get(one) for one in TYPE_MARKS))
    own = first_line(message.get("name"), message.get("messageId"), kept)
    name = (
        usable_name(mark or kind or own)
        if "." in (mark or kind or own)
        else suggested_name(mark or kind or own)
    )
    tags = message.get("tags")
    described = payload if isinstance(payload, dict) else {}
    return Candidate(
        name=name,
        origin=Origin.MESSAGE,
        pointer=place,
        line=written.line_of(place),
        source=source,
        title=first_line(message.get("title"), described.get("title"), own),
        summary=first_line(message.get("summary"), message.get("description"), described.get("description")),
        docs=text_of(message.get("description")) or text_of(described.get("description")),
        tags=tuple(
            tag
            for one in (tags if isinstance(tags, list) else ())
            if isinstance(one, dict) and (tag := first_line(one.get("name")))
        ),
        given_examples=examples,
        refused=refused,
        make=None if refused else partial(_bundle, whole, payload, place, form),
        written=written,
    )


def _refused(form: str, payload: Any) -> str:
    if payload is None:
        return "The message has no payload, so there is nothing to describe."
    if form and not form.startswith((*_JSON, "application/vnd.oai.openapi")):
        return f"Its payload is written in {form[:60]}. Only JSON Schema can be registered."
    return ""


def _bundle(whole: dict[str, Any], payload: Any, pointer: str, form: str) -> Bundle:
    if form.startswith("application/vnd.oai.openapi") and "3.0" in form:
        return bundle(whole, payload, pointer, DRAFT_7 + "#", "definitions", to_json_schema)
    declared = next((uri for draft, uri in _DRAFTS.items() if draft in form), DRAFT_7 + "#")
    own = payload.get("$schema") if isinstance(payload, dict) else None
    declared = (
        own
        if isinstance(own, str) and own.rstrip("#") in {uri.rstrip("#") for uri in _DRAFTS.values()}
        else declared
    )
    return bundle(whole, payload, pointer, declared, "$defs" if "/draft/20" in declared else "definitions")


def _data_of(whole: dict[str, Any], payload: Any, pointer: str) -> tuple[Any, str, str, str]:
    """The schema of data, the type and the source, when the payload describes a whole CloudEvent with a fixed type."""
    try:
        found, place = resolved(whole, payload, pointer)
    except LookupError:
        return payload, pointer, "", ""
    parts = [(found, place)]
    several = found.get("allOf")
    for index, one in enumerate(several if isinstance(several, list) else ()):
        try:
            parts.append(resolved(whole, one, f"{place}/allOf/{index}"))
        except LookupError:
            continue
    for part, where in parts:
        properties = part.get("properties")
        if (
            isinstance(properties, dict)
            and properties.keys() >= _ENVELOPE
            and (kind := _fixed(properties["type"]))
        ):
            return properties["data"], f"{where}/properties/data", kind, _fixed(properties.get("source"))
    return payload, pointer, "", ""


def _fixed(schema: Any) -> str:
    if not isinstance(schema, dict):
        return ""
    options = schema.get("enum")
    return first_line(
        schema.get("const"), options[0] if isinstance(options, list) and len(options) == 1 else None
    )


def _examples(message: dict[str, Any], pointer: str) -> Iterator[Example]:
    several = message.get("examples")
    for index, one in enumerate(several[:20] if isinstance(several, list) else ()):
        if isinstance(one, dict) and "payload" in one:
            yield Example(one["payload"], f"{pointer}/examples/{index}/payload")


def _data_examples(examples: tuple[Example, ...]) -> Iterator[Example]:
    for one in examples:
        if isinstance(one.value, dict) and "data" in one.value:
            yield Example(one.value["data"], f"{one.pointer}/data")
