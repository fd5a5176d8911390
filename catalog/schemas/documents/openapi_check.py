"""Whether an OpenAPI document says what it means: every mistake, with its place.

The meta-schemas are those that openapi-spec-validator ships, compiled by jsonschema-rs: the same verdicts in
milliseconds instead of seconds, without fetching, and with webhooks and callbacks, which that package does not enter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, NoReturn

import jsonschema_rs
from jsonschema_rs import ValidationError
from openapi_spec_validator.schemas import schema_v30, schema_v31, schema_v32

from catalog.schemas.checks import meta_checker
from catalog.schemas.dialects import DEFAULT, DIALECTS, dialect_of
from catalog.schemas.documents.openapi_places import operations, schemas
from catalog.schemas.documents.openapi_schema import to_json_schema
from catalog.schemas.documents.pointers import check_references, resolved
from catalog.schemas.documents.written import Written
from catalog.schemas.keywords import inner_schemas
from catalog.schemas.sentences import sentence
from catalog.schemas.text import Mistake, pointer_of

SHOWN = 50
BASE_DIALECT = re.compile(r"https://spec\.openapis\.org/oas/3\.[12]/dialect/.+")
# jsonschema-rs takes 0.05 s for the largest document allowed; a hostile one stops here.
_ERRORS = 400


def check_openapi(written: Written, version: str) -> list[Mistake]:
    """What is wrong with the OpenAPI document, in its order; `version` is 3.0, 3.1 or 3.2."""
    whole = written.value
    found = check_references(written)
    found += _structure(written, version)
    if version != "3.0":
        found += _schemas(written)
    found += _operations(written)
    if not found:
        found += _defaults(written, version)
    unique = {(one.pointer, one.message): one for one in found}
    assert isinstance(whole, dict)
    return sorted(unique.values(), key=lambda one: one.line or 0)[:SHOWN]


# Read from the package when this module is imported: afterwards nothing opens a file.
_META = {"3.0": dict(schema_v30), "3.1": dict(schema_v31), "3.2": dict(schema_v32)}


@cache
def _checker(version: str) -> Any:
    meta = _META[version]
    if version == "3.0":
        meta = _by_reference(meta)
        meta["$schema"] = "http://json-schema.org/draft-07/schema#"
        return jsonschema_rs.Draft7Validator(meta, retriever=_refuse, validate_formats=True)
    return jsonschema_rs.Draft202012Validator(meta, retriever=_refuse, validate_formats=True)


def _by_reference(meta: Any) -> Any:
    """3.0's meta-schema with “a Reference or an X” decided by `$ref`, so that a mistake is told where it is."""
    if isinstance(meta, list):
        return [_by_reference(one) for one in meta]
    if not isinstance(meta, dict):
        return meta
    changed = {key: _by_reference(one) for key, one in meta.items()}
    if changed.get("exclusiveMinimum") is True:
        changed["exclusiveMinimum"] = changed.pop("minimum")
    reference = {"$ref": "#/definitions/Reference"}
    options = changed.get("oneOf")
    if isinstance(options, list) and reference in options:
        others = [one for one in changed.pop("oneOf") if one != reference]
        last: Any = others[0]
        if {"type": "boolean"} in others:
            last = {"if": {"type": "boolean"}, "else": others[0]}
        changed |= {"if": {"type": "object", "required": ["$ref"]}, "then": reference, "else": last}
    return changed


def _structure(written: Written, version: str) -> Iterator[Mistake]:
    found: dict[str, Mistake] = {}
    for error in islice(_checker(version).iter_errors(written.value), _ERRORS):
        pointer = pointer_of(list(error.instance_path))
        if pointer not in found:
            found[pointer] = written.mistake(pointer, f"{_sentence(error)} (OpenAPI {version})")
    yield from found.values()


def _sentence(error: ValidationError) -> str:
    path = list(error.instance_path)
    if path and path[-1] == "type" and error.kind.name == "enum" and "array" in str(error.kind.value):
        return "This is no JSON type. Use string, number, integer, boolean, object or array."
    if not path and error.kind.name == "anyOf":
        return "The document has none of paths, webhooks and components. Add one of them."
    if error.kind.name in ("oneOf", "anyOf"):
        if len(path) > 1 and path[-2] == "parameters":
            return "A parameter needs in: path (with required: true), query, header or cookie, a name, and schema or content."
        closest = _closest(error)
        return sentence(closest) if closest is not None else sentence(error)
    if error.kind.name == "pattern" and path == ["openapi"]:
        return "The version must be written like 3.1.0, in quotes."
    return sentence(error)


def _closest(error: ValidationError) -> ValidationError | None:
    """What is wrong in the alternative that fits best."""
    options: list[list[ValidationError]] = getattr(error.kind, "context", [])
    wrong = [one for one in options if one]
    return min(wrong, key=len)[0] if wrong else None


def _schemas(written: Written) -> Iterator[Mistake]:
    """What the drafts' meta-schemas say against the schemas of a document from 3.1 on."""
    declared = written.value.get("jsonSchemaDialect")
    default = DEFAULT
    if isinstance(declared, str) and not BASE_DIALECT.fullmatch(declared):
        known = dialect_of({"$schema": declared})
        if known is None:
            message = f"This dialect is not supported. Use one of {', '.join(DIALECTS)}, or leave it out."
            yield written.mistake("/jsonSchemaDialect", message)
            return
        default = known
    for schema, pointer in schemas(written.value):
        if not isinstance(schema, dict):
            continue  # The structure's check has said so.
        own = schema.get("$schema", default)
        key = (
            default if isinstance(own, str) and BASE_DIALECT.fullmatch(own) else dialect_of({"$schema": own})
        )
        if key is None:
            yield written.mistake(f"{pointer}/$schema", "This $schema is not supported. Leave it out.")
            continue
        dialect = DIALECTS[key]
        for error in islice(meta_checker(dialect).iter_errors(schema), 10):
            place = pointer + pointer_of(list(error.instance_path))
            wrong_type = error.instance_path and error.instance_path[-1] == "type"
            said = (
                "This is no JSON type. Use string, number, integer, boolean, object, array or null, or a list of them."
                if wrong_type
                else sentence(error)
            )
            yield written.mistake(place, f"{said} (JSON Schema {dialect.name})")


def _operations(written: Written) -> Iterator[Mistake]:
    """Names of operations must differ, and the parameters of a path must be told."""
    whole, names, seen = written.value, dict[str, str](), set[str]()
    for one in operations(whole):
        if one.pointer in seen:
            continue
        seen.add(one.pointer)
        name = one.value.get("operationId")
        if isinstance(name, str):
            if name in names:
                line = written.line_of(names[name])
                first = f" in line {line}" if line else ""
                message = f"The operationId “{name}” is used{first} already. Give each operation its own."
                yield written.mistake(f"{one.pointer}/operationId", message)
            names.setdefault(name, f"{one.pointer}/operationId")
        if one.group == "paths":
            yield from _path_parameters(written, one.name, one.pointer, [one.value, one.path_item])


def _path_parameters(
    written: Written, path: str, pointer: str, holders: list[dict[str, Any]]
) -> Iterator[Mistake]:
    told = set()
    for holder in holders:
        parameters = holder.get("parameters")
        for parameter in parameters if isinstance(parameters, list) else ():
            try:
                parameter, _ = resolved(written.value, parameter, "")
            except LookupError:
                return  # The reference is a mistake of its own.
            if parameter.get("in") == "path" and isinstance(parameter.get("name"), str):
                told.add(parameter["name"])
    wanted = set(re.findall(r"{([^{}/]+)}", path))
    for name in sorted(wanted - told):
        yield written.mistake(
            pointer, f"The path has {{{name}}}, but no parameter with in: path tells what it is."
        )
    for name in sorted(told - wanted):
        yield written.mistake(
            pointer, f"The path parameter “{name}” does not stand in the path as {{{name}}}."
        )


def _defaults(written: Written, version: str) -> Iterator[Mistake]:
    """Defaults that do not fit the schema they stand in; only those of schemas that need no reference."""
    for schema, pointer in schemas(written.value):
        todo = [(schema, pointer)]
        while todo:
            part, place = todo.pop()
            if not isinstance(part, dict):
                continue
            todo.extend((inner.schema, place + pointer_of(inner.path)) for inner in inner_schemas(part))
            if "default" in part and "$ref" not in part:
                yield from _default(written, version, part, place)


def _default(written: Written, version: str, part: dict[str, Any], place: str) -> Iterator[Mistake]:
    plain = {key: value for key, value in part.items() if key in _PLAIN}
    if version == "3.0":
        if part["default"] is None and part.get("nullable") is True:
            return
        plain = to_json_schema(plain)
    try:
        checker = jsonschema_rs.Draft202012Validator(plain, retriever=_refuse)
    except (ValueError, jsonschema_rs.ReferencingError):
        return
    error = next(checker.iter_errors(part["default"]), None)
    if error is not None:
        yield written.mistake(
            f"{place}/default", f"The default does not fit its own schema: {sentence(error)}"
        )


_PLAIN = frozenset(
    {
        "type", "nullable", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
    }
)  # fmt: skip


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not bundled")
