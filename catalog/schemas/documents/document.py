"""What a pasted document holds: event types one could register."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from catalog.schemas.dialects import DEFAULT, dialect_of
from catalog.schemas.documents.bundle import Bundle, NotBundled
from catalog.schemas.documents.written import Written
from catalog.schemas.limits import SCHEMA_BYTES, TYPE_NAME
from catalog.schemas.text import Mistake
from catalog.schemas.validator import SchemaRefused, Validator, compile_schema

# More are not offered.
CANDIDATES = 1_000


class Kind(StrEnum):
    """What a text turned out to be."""

    CLOUD_EVENT = "CloudEvent"
    DATA = "event data"
    AWS_EVENT = "AWS EventBridge event"
    JSON_SCHEMA = "JSON Schema"
    GITHUB_WEBHOOKS = "GitHub webhook schemas"
    OPENAPI = "OpenAPI"
    AWS_SCHEMA = "AWS EventBridge discovered schema"
    ASYNCAPI = "AsyncAPI"
    XREGISTRY = "xRegistry document"
    UNKNOWN = ""


class Origin(StrEnum):
    """Where in a document a candidate comes from."""

    EVENT = "event"
    SCHEMA = "schema"
    WEBHOOK = "webhook"
    CALLBACK = "callback"
    EXTENSION = "extension"
    COMPONENT = "component"
    DEFINITION = "definition"
    MESSAGE = "message"


@dataclass(frozen=True)
class Example:
    """An example event's data, parsed, and where it is written."""

    value: Any
    pointer: str


@dataclass(frozen=True)
class Candidate:
    """An event type that the document describes.

    name: suggested event type; source: its CloudEvents source or ""; title: a few words; summary: one line;
    docs: Markdown; tags: words; pointer and line: where its schema or event is written. sent_as: the type that its
    events carry where they come from, "" when the document does not say.
    `schema`, `problems` and `dialect` are worked out when first asked for, in a few milliseconds each.
    """

    name: str
    origin: Origin
    pointer: str
    line: int | None
    source: str = ""
    title: str = ""
    summary: str = ""
    docs: str = ""
    sent_as: str = ""
    tags: tuple[str, ...] = ()
    given_examples: tuple[Example, ...] = ()
    # What keeps it from being registered, known while reading.
    refused: str = ""
    make: Callable[[], Bundle] | None = field(default=None, repr=False, compare=False)
    verbatim: str = field(default="", repr=False, compare=False)
    written: Written | None = field(default=None, repr=False, compare=False)

    @property
    def examples(self) -> tuple[str, ...]:
        """Data of example events, as JSON texts."""
        return tuple(_shown(one.value) for one in self.given_examples)

    @cached_property
    def schema(self) -> str:
        """A JSON Schema of the data that stands alone, as JSON text; "" when there is none or it cannot be had."""
        if self.verbatim:
            return self.verbatim
        return _shown(self._made.schema) if isinstance(self._made, Bundle) else ""

    @cached_property
    def dialect(self) -> str:
        """The key of DIALECTS that the schema is written in; the default when there is no schema."""
        return (self.schema and dialect_of(json.loads(self.schema))) or DEFAULT

    @cached_property
    def problems(self) -> tuple[Mistake, ...]:
        """What keeps it from being registered as it is, with places in the pasted text; empty when nothing does."""
        found = [self._mistake(self.pointer, self.refused)] if self.refused else []
        if isinstance(self._made, NotBundled):
            found.append(self._mistake(self._made.pointer, str(self._made)))
        if not self.schema:
            return tuple(found)
        validator = _compiled(self.schema)
        if isinstance(validator, SchemaRefused):
            if self.verbatim:
                return (*found, *validator.mistakes)
            return (*found, *(self._in_document(one) for one in validator.mistakes))
        for example in self.given_examples:
            for violation in validator.errors(example.value)[:3]:
                place = example.pointer + violation.pointer
                found.append(self._mistake(place, f"The example does not fit: {violation.message}"))
        return tuple(found)

    @cached_property
    def _made(self) -> Bundle | NotBundled | None:
        if self.make is None:
            return None
        try:
            return self.make()
        except NotBundled as error:
            return error

    def _in_document(self, mistake: Mistake) -> Mistake:
        place = self.pointer
        if isinstance(self._made, Bundle) and mistake.pointer is not None:
            place = self._made.place_of(mistake.pointer)
        return self._mistake(place, mistake.message)

    def _mistake(self, pointer: str, message: str) -> Mistake:
        return Mistake(message, pointer, self.written.line_of(pointer) if self.written else None)


@dataclass(frozen=True)
class Document:
    """A pasted text: what it is, in which version, the event types it describes, and what is wrong with it.

    A mistake says what to do. Candidates may be given beside mistakes; each one's own `problems` decide about it.
    """

    kind: Kind
    version: str = ""
    title: str = ""
    candidates: tuple[Candidate, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


# Marks of an event on an operation, a webhook, a message or a schema, as exporters write them.
TYPE_MARKS = ("x-event-type", "x-cloudevents-type", "x-ce-type")


def suggested_name(*parts: Any) -> str:
    """An event type name out of words: lower case, with dots between them, as the catalog takes it; may be empty.

    `OrderPlaced`, `order placed` and `order_placed` become order.placed or order_placed; a dotted name stays.
    """
    words = []
    for part in parts:
        if not isinstance(part, str):
            continue
        word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", ".", part.strip())
        word = re.sub(r"[^A-Za-z0-9._:-]+", ".", word).lower()
        word = re.sub(r"\.{2,}", ".", word).strip("._:-")
        if word:
            words.append(word)
    return ".".join(words)[:255].strip("._:-")


def usable_name(name: Any) -> str:
    """An event type that a document names itself, as it is when the catalog takes it, else suggested from it."""
    if isinstance(name, str) and re.fullmatch(TYPE_NAME, name):
        return name
    return suggested_name(name)


def text_of(value: Any, limit: int = 20_000) -> str:
    """A text member, cut to `limit` characters; "" for anything else."""
    return value.strip()[:limit] if isinstance(value, str) else ""


def first_line(*values: Any) -> str:
    """The first of `values` that says something, as one line of at most 255 characters."""
    for value in values:
        lines = text_of(value).splitlines()
        if lines:
            return lines[0][:255]
    return ""


@lru_cache(maxsize=8)
def _compiled(schema: str) -> Validator | SchemaRefused:
    """Several webhooks may share a schema."""
    try:
        return compile_schema(schema)
    except SchemaRefused as error:
        return error


def _shown(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # The spaces alone must not make a schema too large.
    return text if len(text) <= SCHEMA_BYTES else json.dumps(value, ensure_ascii=False)
