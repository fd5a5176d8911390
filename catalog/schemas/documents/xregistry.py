"""Event types out of an xRegistry document (1.0-rc4): its messages, and schemas that no message uses."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from functools import partial
from typing import Any

from catalog.schemas.documents.bundle import Bundle, NotBundled
from catalog.schemas.documents.document import (
    Candidate,
    Document,
    Kind,
    Origin,
    first_line,
    text_of,
    usable_name,
)
from catalog.schemas.documents.written import Written
from catalog.schemas.local import look_up
from catalog.schemas.text import NotJson, parse, pointer_of

_GROUPS = ("schemagroups", "messagegroups")


def is_xregistry(value: Any) -> bool:
    """Whether `value` is an xRegistry document with schemas or messages."""
    return isinstance(value, dict) and any(isinstance(value.get(name), dict) for name in _GROUPS)


def read_xregistry(written: Written) -> Document:
    """The document, with a candidate for each message and each schema without one."""
    whole: dict[str, Any] = written.value
    used: set[str] = set()
    candidates = [
        _message(written, one, pointer, used) for one, pointer in _entries(whole, "messagegroups", "messages")
    ]
    for schema, pointer in _entries(whole, "schemagroups", "schemas"):
        if pointer not in used:
            candidates.append(_candidate(written, schema, pointer, pointer, schema.get("schemaid"), ""))
    mistakes = []
    if not candidates:
        mistakes.append(written.mistake("", "The document has no messages and no schemas."))
    title = first_line(whole.get("name"), whole.get("registryid"))
    return Document(
        Kind.XREGISTRY, first_line(whole.get("specversion")), title, tuple(candidates), tuple(mistakes)
    )


def _entries(whole: dict[str, Any], groups: str, kept: str) -> Iterator[tuple[dict[str, Any], str]]:
    named = whole.get(groups)
    for group, value in named.items() if isinstance(named, dict) else ():
        entries = value.get(kept) if isinstance(value, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                singular = "messageid" if kept == "messages" else "schemaid"
                yield {singular: name, **entry}, pointer_of([groups, group, kept, name])


def _message(written: Written, message: dict[str, Any], pointer: str, used: set[str]) -> Candidate:
    envelope = message.get("envelopemetadata")
    envelope = envelope if isinstance(envelope, dict) else {}
    name = _value(envelope.get("type")) or message.get("messageid")
    source = _value(envelope.get("source"))
    if "dataschema" in message:
        return _candidate(written, message, pointer, f"{pointer}/dataschema", name, source)
    uri = first_line(message.get("dataschemauri"))
    place = uri.removeprefix("#") if uri.startswith(("/", "#/")) else ""
    if not place:
        refused = (
            f"Its schema is at {uri[:120]}, and nothing is fetched. Paste the schema itself."
            if uri
            else "The message has no dataschema and no dataschemauri."
        )
        return _candidate(written, message, pointer, "", name, source, refused)
    used.add("/".join(place.split("/")[:5]))
    return _candidate(written, message, pointer, place, name, source)


def _value(attribute: Any) -> str:
    return first_line(attribute.get("value")) if isinstance(attribute, dict) else ""


def _candidate(
    written: Written,
    about: dict[str, Any],
    pointer: str,
    place: str,
    name: Any,
    source: str,
    refused: str = "",
) -> Candidate:
    labels = about.get("labels")
    return Candidate(
        name=usable_name(name),
        origin=Origin.MESSAGE if "messageid" in about else Origin.SCHEMA,
        pointer=pointer,
        line=written.line_of(pointer),
        source="" if "{" in source else source,
        title=first_line(about.get("name"), name),
        summary=first_line(about.get("description")),
        docs=text_of(about.get("description")),
        tags=tuple(str(label) for label in labels) if isinstance(labels, dict) else (),
        refused=refused,
        make=None if refused else partial(_schema, written.value, place),
        written=written,
    )


def _schema(whole: dict[str, Any], pointer: str) -> Bundle:
    """The schema at `pointer`: of a schema, of its default version, or written inline."""
    try:
        entry = look_up(whole, f"#{pointer}")
    except LookupError:
        raise NotBundled(f"“{pointer[:120]}” does not exist in this document.", pointer) from None
    if pointer.endswith("/dataschema"):
        return Bundle(entry, {"": pointer})
    if isinstance(entry, dict) and isinstance(entry.get("versions"), dict) and entry["versions"]:
        key = _default_version(entry)
        entry, pointer = entry["versions"][key], pointer + pointer_of(["versions", key])
    if not isinstance(entry, dict):
        raise NotBundled("This is no schema of an xRegistry document.", pointer)
    form = first_line(entry.get("format"))
    if form and not form.lower().startswith("jsonschema"):
        raise NotBundled(
            f"It is written in {form[:60]}. Only JSON Schema can be registered.", f"{pointer}/format"
        )
    if "schema" in entry:
        schema = entry["schema"]
        return Bundle(
            _parsed(schema, f"{pointer}/schema") if isinstance(schema, str) else schema,
            {"": f"{pointer}/schema"},
        )
    if isinstance(entry.get("schemabase64"), str):
        return Bundle(_decoded(entry["schemabase64"], pointer), {"": f"{pointer}/schemabase64"})
    if "schemaurl" in entry or "schemauri" in entry:
        raise NotBundled("Its schema is at another address, and nothing is fetched. Paste it here.", pointer)
    raise NotBundled("It holds no schema: give it schema or schemabase64.", pointer)


def _default_version(entry: dict[str, Any]) -> str:
    versions: dict[str, Any] = entry["versions"]
    meta = entry.get("meta")
    for holder in (
        entry.get("defaultversionid"),
        meta.get("defaultversionid") if isinstance(meta, dict) else None,
    ):
        if isinstance(holder, str) and holder in versions:
            return holder
    default = next(
        (key for key, one in versions.items() if isinstance(one, dict) and one.get("isdefault") is True), None
    )
    return default or list(versions)[-1]


def _decoded(encoded: str, pointer: str) -> Any:
    place = f"{pointer}/schemabase64"
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise NotBundled("This is no base64 of a text.", place) from None
    return _parsed(text, place)


def _parsed(text: str, pointer: str) -> Any:
    try:
        return parse(text)
    except NotJson as error:
        raise NotBundled(f"The schema is no JSON: {error}", pointer) from None
