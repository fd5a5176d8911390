"""What a target takes, as its owner wrote it down: a JSON Schema, or one operation of its OpenAPI document.

What does not fit is known before it is sent, with the place in it. Nothing is fetched and no file is read, and no
schema can hang it (see catalog.schemas.validator).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from catalog.schemas.fields import Field, fields_of, rows_of
from catalog.schemas.validator import SchemaRefused, Validator, Violation, compile_schema
from rules.engine import Output
from rules.openapi import OpenApiRefused, read_document, request_schema

__all__ = ["Contract", "ContractRefused", "Violation", "compile_contract"]

_MEMBERS = frozenset({"schema", "openapi", "operation", "method", "path", "media_type"})


class ContractRefused(ValueError):
    """The contract cannot be used; `problems` says why, a sentence each, with line or place where there is one."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class Contract:
    """A compiled contract; threads may share it.

    schema: the JSON Schema it comes to; {"schema": contract.schema} is the same contract without its document.
    """

    __slots__ = ("_validator", "schema")

    def __init__(self, schema: Any, validator: Validator) -> None:
        self.schema = schema
        self._validator = validator

    def check(self, output: Output) -> list[Violation]:
        """The first 20 ways in which an output does not fit, with JSON pointers into it; empty when it fits."""
        media_type = output.content_type.partition(";")[0].strip().lower()
        if not media_type.endswith(("/json", "+json")):
            return [Violation("", f"Must be JSON, is {media_type}.")]
        try:
            value = msgspec.json.decode(output.body)
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            return [Violation("", f"Must be JSON: {error}.")]
        return self._validator.errors(value)

    def refusal(self, output: Output) -> str:
        """Why an output must not be sent, in one sentence with the first three places; empty when it fits."""
        found = self.check(output)
        places = [f"{one.pointer or 'the whole'}: {one.message}" for one in found[:3]]
        more = f" And {len(found) - 3} more." if len(found) > 3 else ""
        return f"It does not fit the target's contract. {' '.join(places)}{more}" if found else ""

    def fields(self) -> list[Field]:
        """Its fields in reading order: path, kind, whether required, meaning, choices (see catalog.schemas.fields).

        An entry of a list is "[]" in a path.
        """
        return rows_of(fields_of(self.schema))


def compile_contract(spec: dict[str, Any]) -> Contract:
    """The contract of a target's spec. Documents and schemas are text (JSON; OpenAPI also YAML) or parsed values.

    {"schema": JSON Schema};
    {"openapi": document, "operation": operationId, "media_type"?: of the body, JSON unless said otherwise};
    {"openapi": document, "method": "post", "path": "/orders", "media_type"?}.
    Raises ContractRefused with every problem found.
    """
    if not isinstance(spec, dict) or ("schema" in spec) == ("openapi" in spec):
        raise ContractRefused(["A contract has “schema”, a JSON Schema, or “openapi”, an OpenAPI document."])
    allowed = {"schema"} if "schema" in spec else _MEMBERS - {"schema"}
    if other := [name for name in spec if name not in allowed]:
        raise ContractRefused([f"“{other[0]}” has no meaning in this contract: remove it."])
    if "schema" in spec:
        return _compiled(spec["schema"])
    by_id, by_place = "operation" in spec, "method" in spec or "path" in spec
    named = [spec.get(name) for name in ("operation", "method", "path", "media_type")]
    if by_id == by_place or any(not isinstance(one, str | None) for one in named):
        raise ContractRefused(
            ["An operation is named by “operation”, its operationId, or by “method” and “path”, all texts."]
        )
    try:
        return _compiled(request_schema(read_document(spec["openapi"]), *named))
    except OpenApiRefused as error:
        raise ContractRefused([str(error)]) from None


def _compiled(written: Any) -> Contract:
    try:
        text = written if isinstance(written, str) else json.dumps(written, allow_nan=False)
        validator = compile_schema(text)
    except SchemaRefused as error:
        raise ContractRefused([str(mistake) for mistake in error.mistakes]) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise ContractRefused([f"The schema is no JSON: {error}."]) from None
    return Contract(json.loads(text), validator)
