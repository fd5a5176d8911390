"""What can be wrong with a schema before it is compiled: size, dialect, references, meta-schema, cost."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import Any, NoReturn

from jsonschema.exceptions import best_match
from jsonschema_rs import ValidationError

from catalog.schemas.cost import Cost, TooCostly, cost_of
from catalog.schemas.dialects import BUILT_IN, DIALECTS, Dialect, dialect_of
from catalog.schemas.graph import Reference, SchemaGraph
from catalog.schemas.limits import SCHEMA_BYTES, too_many_bytes, too_many_nodes
from catalog.schemas.sentences import meta_sentence, sentence
from catalog.schemas.text import Lines, Mistake, pointer_of

SHOWN = 10
SHOWN_REFERENCES = 100


def too_large(text: str) -> list[Mistake]:
    """Whether `text` is larger than a schema may be; looked at before it is parsed."""
    message = too_many_bytes(text, SCHEMA_BYTES, "schema")
    return [Mistake(message)] if message else []


def check_parsed(schema: Any, lines: Lines, known: Iterable[str] = ()) -> tuple[list[Mistake], Cost | None]:
    """The mistakes that show without compiling, and the cost of a schema that has none.

    known: URIs that references may use besides those inside the schema and the drafts' own.
    """
    if isinstance(schema, bool):
        return [], Cost((1,), False, 0)
    if not isinstance(schema, dict):
        return [_at(lines, "", 'A JSON Schema is an object, such as {"type": "object"}.')], None
    if message := too_many_nodes(schema, "schema"):
        return [Mistake(message)], None
    key = dialect_of(schema)
    if key is None:
        names = ", ".join(DIALECTS)
        message = f"This $schema is not supported. Use one of {names}, or leave it out."
        return [_at(lines, "/$schema", message)], None
    dialect = DIALECTS[key]
    graph = SchemaGraph(schema, dialect.year, {*BUILT_IN, *known})
    mistakes = [
        _at(lines, one.pointer, _reference_sentence(one, dialect))
        for one in graph.problems[:SHOWN_REFERENCES]
    ]
    mistakes += _other_dialects(graph, key, lines)
    mistakes += _meta(schema, dialect, lines)
    if mistakes:
        return mistakes, None
    try:
        return [], cost_of(graph)
    except TooCostly as error:
        return [_at(lines, error.pointer, str(error))], None


def _reference_sentence(reference: Reference, dialect: Dialect) -> str:
    shown = f"{reference.keyword} “{reference.value[:120]}”"
    if reference.problem == "nothing":
        return f"{shown} points to nothing in this schema."
    kept = "definitions" if dialect.year <= 7 else "$defs"
    return (
        f"{shown} points outside this schema, and nothing is fetched. "
        f"Copy what it means into {kept} and point to it with #/{kept}/…"
    )


def _other_dialects(graph: SchemaGraph, key: str, lines: Lines) -> list[Mistake]:
    """Parts that declare a draft which is not known."""
    return [
        _at(
            lines,
            pointer_of((*node.path, "$schema")),
            "This $schema is not supported. Leave it out: the outermost one holds for all parts.",
        )
        for node in graph.nodes[1:]
        if isinstance(node.schema, dict) and "$schema" in node.schema and dialect_of(node.schema) is None
    ]


def _meta(schema: dict[str, Any], dialect: Dialect, lines: Lines) -> list[Mistake]:
    """What the draft's own meta-schema says against `schema`, all of it."""
    found: dict[str, Mistake] = {}
    for error in islice(meta_checker(dialect).iter_errors(schema), SHOWN * 4):
        pointer = pointer_of(list(error.instance_path))
        if pointer not in found:
            found[pointer] = _at(
                lines, pointer, f"{_best_sentence(error, dialect)} (JSON Schema {dialect.name})"
            )
    return list(found.values())[:SHOWN]


@cache
def meta_checker(dialect: Dialect) -> Any:
    """jsonschema-rs's validator of schemas of a draft."""
    return dialect.compile(dialect.meta_schema, retriever=_refuse)


def _best_sentence(error: ValidationError, dialect: Dialect) -> str:
    """jsonschema-rs finds the place at once; of alternatives, jsonschema knows which one the author meant."""
    path = list(error.instance_path)
    if path and path[-1] == "type":
        return "This is no JSON type. Use string, number, integer, boolean, object, array or null, or a list of them."
    if error.kind.name not in ("anyOf", "oneOf") or not path or too_many_bytes(str(error.instance), 4096):
        return sentence(error)
    alone: Any = {path[-1]: error.instance}
    if len(path) > 1 and path[-2] in ("dependencies", "properties", "patternProperties", "definitions"):
        alone = {path[-2]: alone}
    best = best_match(dialect.author(dialect.meta_schema).iter_errors(alone))
    return meta_sentence(best) if best is not None else sentence(error)


def _at(lines: Lines, pointer: str, message: str) -> Mistake:
    return Mistake(message, pointer, lines.of(pointer))


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not bundled")
