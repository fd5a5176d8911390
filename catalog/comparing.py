"""Two schemas compared, and one document looked at, as the API and the command line tell it. Reads no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from catalog.registering import Judgement, assumes_draft
from catalog.schemas.authoring import check_example, check_schema
from catalog.schemas.compatibility import Direction, Mode, Policy, Verdict, accepted, check
from catalog.schemas.dialects import DIALECTS
from catalog.schemas.difference import difference
from catalog.schemas.documents import read_document
from catalog.schemas.limits import DOCUMENT_BYTES, too_many_bytes
from catalog.schemas.text import Lines, Mistake, NotJson, parse

SECONDS = 1.0
EXAMPLES = 20
CANDIDATES = 50


def mistake(one: Mistake) -> dict[str, Any]:
    """A mistake as JSON: `detail`, and `pointer`, `line` and `column` where they are known."""
    found = {"detail": one.message, "pointer": one.pointer, "line": one.line, "column": one.column}
    return {name: value for name, value in found.items() if value is not None}


def verdict(found: Judgement, new: str) -> dict[str, Any]:
    """A judgement as JSON; each break has the `line` of `new` (the new schema's text) that is nearest."""
    told = found.stored()
    lines = Lines(new)
    for one in told["breaks"]:
        here = one["direction"] == Direction.BACKWARD and one["pointer"]
        one["line"] = lines.of(one["pointer"] if here else _guessed(one["path"]))
    return told


def _guessed(path: str) -> str:
    """Where a schema most likely speaks of the place `path` (data.lines[].sku) in the data."""
    parts = path.removeprefix("data").replace("[]", ".[]").split(".")
    return "".join(
        "/items" if part == "[]" else "/properties/" + part.replace("~", "~0").replace("/", "~1")
        for part in parts
        if part
    )


def changes(old: str, new: str) -> list[dict[str, Any]]:
    """What changed from `old` to `new`, texts of schemas that were checked."""
    return [asdict(one) for one in difference(parse(old), parse(new))]


def compared(
    old: str,
    new: str,
    mode: Mode,
    policy: Policy,
    examples: Sequence[Any] = (),
    accept_cautions: bool = False,
) -> dict[str, Any]:
    """The verdict on two schemas, texts that were checked, with what changed. `examples`: values of data."""
    found: Verdict = check(parse(old), parse(new), mode, policy, list(examples)[:EXAMPLES], SECONDS)
    judgement = Judgement(found, mode, policy, (), accepted(found, accept_cautions))
    return verdict(judgement, new) | {"changes": changes(old, new)}


def schema_check(schema: str, examples: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """What is wrong with a schema (text) and with `examples` of it (pointer, text), as the register form says it."""
    mistakes = [mistake(one) for one in check_schema(schema)]
    if not mistakes:
        for pointer, text in examples:
            for one in check_example(schema, text):
                told = mistake(one)
                mistakes.append(told | {"pointer": pointer + told.get("pointer", "")})
    return {
        "valid": not mistakes,
        "kind": "JSON Schema",
        "version": "",
        "title": "",
        "mistakes": mistakes,
        "notes": _assumed(schema) if not mistakes else [],
        "candidates": [],
    }


def document_check(text: str) -> dict[str, Any]:
    """What a document is, the event types it describes (the first CANDIDATES), and what is wrong with each."""
    if said := too_many_bytes(text, DOCUMENT_BYTES):
        return _unread(said)
    found = read_document(text)
    told = [_candidate(one) for one in found.candidates[:CANDIDATES]]
    notes = []
    if len(found.candidates) > CANDIDATES:
        notes.append(
            _("It describes %(all)s event types; the first %(most)s are looked at.")
            % {"all": f"{len(found.candidates):,}", "most": CANDIDATES}
        )
    if str(found.kind) == "JSON Schema":
        notes += _assumed(text)
    mistakes = [mistake(one) for one in found.mistakes]
    return {
        "valid": not mistakes and not any(one["problems"] for one in told),
        "kind": str(found.kind),
        "version": found.version,
        "title": found.title,
        "mistakes": mistakes,
        "notes": notes,
        "candidates": told,
    }


def _unread(said: str) -> dict[str, Any]:
    return {
        "valid": False,
        "kind": "",
        "version": "",
        "title": "",
        "mistakes": [{"detail": said}],
        "notes": [],
        "candidates": [],
    }


def _candidate(one: Any) -> dict[str, Any]:
    found = {
        "name": one.name,
        "source": one.source,
        "summary": one.summary,
        "pointer": one.pointer,
        "line": one.line,
        "schema": _json(one.schema) if one.schema else None,
        "examples": [example.value for example in one.given_examples[:EXAMPLES]],
        "problems": [mistake(problem) for problem in one.problems],
    }
    return {name: value for name, value in found.items() if name != "line" or value is not None}


def _json(text: str) -> Any:
    try:
        return parse(text)
    except NotJson:
        return text


def _assumed(schema: str) -> list[str]:
    assumed = assumes_draft(schema)
    if not assumed:
        return []
    return [_("$schema names no draft, so %(draft)s is assumed.") % {"draft": DIALECTS[assumed].name}]
