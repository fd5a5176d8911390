"""A pasted document as the register form's fields: what a candidate becomes, with what was guessed said in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from catalog.languages.telling import told
from catalog.models import Source
from catalog.schemas.compatibility import likely_values
from catalog.schemas.documents import Candidate, Document, Kind, read_document
from catalog.schemas.fields import fields_of, sample_of
from catalog.schemas.limits import SCHEMA_BYTES
from catalog.schemas.shape import Proposal, Shape, propose, propose_from_example
from catalog.schemas.text import NotJson, in_lines, parse
from catalog.schemas.validator import SchemaRefused, compile_schema

# Read in the request: the largest text took 0.5 s of CPU, for one with more than 50,000 values is refused at once.
PASTED_BYTES = 2 * 1024 * 1024
# From so many example events on, what all of them have counts as required.
ENOUGH = 20
EXAMPLES = 20
EXAMPLES_BYTES = 512 * 1024
ORIGINS = {
    Kind.CLOUD_EVENT: "example",
    Kind.DATA: "example",
    Kind.AWS_EVENT: "example",
    Kind.JSON_SCHEMA: "json-schema",
    Kind.GITHUB_WEBHOOKS: "github",
    Kind.OPENAPI: "openapi",
    Kind.AWS_SCHEMA: "aws",
    Kind.ASYNCAPI: "asyncapi",
    Kind.XREGISTRY: "xregistry",
}


class Filled(NamedTuple):
    """A candidate as the form's fields (as Draft.content has them), and what was guessed, a sentence each."""

    content: dict[str, Any]
    guesses: list[str]
    origin: str


@lru_cache(maxsize=2)
def read(text: str) -> Document:
    """What `text` is; the last ones are remembered, for an import asks for the same one again and again."""
    return read_document(text)


def filled(document: Document, candidate: Candidate) -> Filled:
    """The form's fields out of `candidate`: name, summary, docs, tags, sources, schema, example, examples."""
    guesses: list[str] = []
    examples, dropped = _fitting(candidate.examples[: EXAMPLES + 1])
    schema = candidate.schema
    if dropped:
        guesses.append(
            _("Examples of more than 256 KiB are left out, and so is what is more than 512 KiB together.")
        )
    if not schema and candidate.given_examples:
        proposal = _proposed([one.value for one in candidate.given_examples])
        schema = proposal.text
        guesses.append(
            _("The schema is proposed from the example. Look at what is required and at the types.")
            if len(candidate.given_examples) == 1
            else _(
                "The schema is proposed from %(count)s examples. Look at what is required and at the types."
            )
            % {"count": len(candidate.given_examples)}
        )
        guesses += [f"{note.pointer or 'data'}: {told(note.sentence)}" for note in proposal.notes]
    elif schema and not examples and not dropped:
        example = example_for(schema)
        examples = [example] if example else []
        guesses.append(
            _("The document has no example, so one is made up from the schema. Put in a real one if you can.")
            if example
            else _("The document has no example. Write one.")
        )
    if candidate.sent_as:
        guesses.append(_belonging(candidate))
    sources = list(Source.objects.filter(uri=candidate.source)[:1]) if candidate.source else []
    if candidate.source and not sources:
        guesses.append(
            _("It comes from %(source)s, which is no registered source yet.") % {"source": candidate.source}
        )
    content = {
        "name": candidate.name,
        "summary": candidate.summary or (candidate.title if candidate.title != candidate.name else ""),
        "docs": candidate.docs,
        "tags": ", ".join(candidate.tags[:20]),
        "sources": [source.pk for source in sources],
        "new_source": candidate.source if candidate.source and not sources else "",
        "schema": in_lines(schema),
        "example": in_lines(examples[0]) if examples else "",
        "examples": [{"name": "", "data": in_lines(one)} for one in examples[1:]],
    }
    return Filled(content, guesses, ORIGINS.get(document.kind, "paste"))


def _belonging(candidate: Candidate) -> str:
    """Which events will be of this type: those of its very name."""
    words = {"sent": candidate.sent_as, "name": candidate.name}
    if candidate.name == candidate.sent_as:
        return (
            _("Events belong to it whose type is “%(sent)s”: AWS's detail-type as it is, to the letter.")
            % words
        )
    return (
        _(
            "AWS sends “%(sent)s” as detail-type, which cannot be a name here. Events belong to it once whoever forwards them "
            "sends the type “%(name)s”."
        )
        % words
    )


def _fitting(texts: Sequence[str]) -> tuple[list[str], bool]:
    """Those of `texts` that a form can hold, and whether any was left out."""
    found: list[str] = []
    left = EXAMPLES_BYTES
    for text in texts:
        size = len(text.encode())
        if size <= SCHEMA_BYTES and size <= left:
            found.append(text)
            left -= size
    return found, len(found) < len(texts)


def example_for(schema: str) -> str:
    """A value that fits `schema`, made from its own examples and choices, as JSON text; "" when none was found."""
    try:
        parsed = parse(schema)
        validator = compile_schema(schema)
    except (NotJson, SchemaRefused):
        return ""
    for value in chain([sample_of(fields_of(parsed))], likely_values(parsed)):
        if validator.is_valid(value):
            return json.dumps(value, indent=2, ensure_ascii=False)
    return ""


def _proposed(values: Sequence[Any]) -> Proposal:
    if len(values) == 1:
        return propose_from_example(values[0])
    shape = Shape()
    for value in values:
        shape.add(value)
    return propose(shape, min_samples=ENOUGH)
