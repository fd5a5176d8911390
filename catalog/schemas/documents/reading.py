"""Finds out what a pasted text is and reads the event types out of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from catalog.schemas.documents.asyncapi import read_asyncapi
from catalog.schemas.documents.document import CANDIDATES, Document, Kind
from catalog.schemas.documents.examples import (
    is_aws_event,
    is_cloud_event,
    read_aws_event,
    read_cloud_events,
    read_data,
)
from catalog.schemas.documents.json_schemas import is_json_schema, read_json_schema
from catalog.schemas.documents.openapi import read_openapi
from catalog.schemas.documents.written import Written, read_text
from catalog.schemas.documents.xregistry import is_xregistry, read_xregistry
from catalog.schemas.text import Mistake, NotJson

# Reading took up to 0.4 s of CPU for texts below this size, and up to 2 s for the largest ones that are read.
QUICK_BYTES = 256 * 1024
_WANTED = "Paste an example event, its data, a JSON Schema, or an OpenAPI, AsyncAPI or xRegistry document."


def needs_long_check(text: str) -> bool:
    """Whether reading `text` may take longer than a request should: let a job do it. Says nothing about its worth."""
    return len(text) > QUICK_BYTES


def read_document(text: str) -> Document:
    """What `text` is and which event types it describes. Never raises: what is wrong stands in `mistakes`.

    Nothing is fetched and no file is read. Takes about two seconds of CPU for the largest text that is read (2 MiB).
    """
    if not text.strip("\ufeff \t\r\n"):
        return Document(Kind.UNKNOWN, mistakes=(Mistake(f"This is empty. {_WANTED}", None, 1, 1),))
    try:
        written = read_text(text)
    except NotJson as error:
        return Document(Kind.UNKNOWN, mistakes=(error.mistake,))
    found = _read(written, text)
    if len(found.candidates) <= CANDIDATES:
        return found
    message = f"It describes more than {CANDIDATES:,} event types. The first {CANDIDATES:,} are shown."
    return replace(
        found,
        candidates=found.candidates[:CANDIDATES],
        mistakes=(*found.mistakes, Mistake(message)),
    )


def _read(written: Written, text: str) -> Document:
    value: Any = written.value
    if isinstance(value, list):
        if value and is_cloud_event(value[0]):
            return read_cloud_events(written)
        return read_data(written) if value else _nothing(written)
    if not isinstance(value, dict):
        if written.form == "JSON":
            return read_data(written)
        return Document(Kind.UNKNOWN, mistakes=(Mistake(f"This is plain text. {_WANTED}", None, 1, 1),))
    if not value:
        return _nothing(written)
    if "openapi" in value or "swagger" in value:
        return read_openapi(written)
    if "asyncapi" in value:
        return read_asyncapi(written)
    if is_xregistry(value):
        return read_xregistry(written)
    if is_cloud_event(value):
        return read_cloud_events(written)
    if is_aws_event(value):
        return read_aws_event(written)
    if is_json_schema(value):
        return read_json_schema(written, text)
    if {"paths", "info"} <= value.keys():
        message = "This looks like OpenAPI, but does not say which version. Begin it with openapi: 3.1.0."
        return Document(Kind.OPENAPI, mistakes=(written.mistake("", message),))
    if {"channels", "info"} <= value.keys():
        message = "This looks like AsyncAPI, but does not say which version. Begin it with asyncapi: 3.0.0."
        return Document(Kind.ASYNCAPI, mistakes=(written.mistake("", message),))
    return read_data(written)


def _nothing(written: Written) -> Document:
    return Document(Kind.UNKNOWN, mistakes=(written.mistake("", f"There is nothing in it. {_WANTED}"),))
