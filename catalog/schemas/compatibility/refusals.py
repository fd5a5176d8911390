"""Why a reader refuses a value: whether it is for what a finding says, or for something else that is wrong as well."""

from __future__ import annotations

from itertools import islice
from typing import Any

from jsonschema_rs import ValidationError

from catalog.schemas.compatibility.findings import Finding, place_name
from catalog.schemas.compatibility.pointers import steps_of
from catalog.schemas.sentences import sentence
from catalog.schemas.text import pointer_of
from catalog.schemas.validator import Validator

SHOWN = 20
# They speak for the place they stand at and for everything below it.
_OF_WHOLE = frozenset({"anyOf", "oneOf", "not", "falseSchema", "additionalProperties", "unevaluatedProperties",
                       "unevaluatedItems", "additionalItems", "propertyNames", "contains"})  # fmt: skip
_ABSENT = ("required", "dependentRequired")


class Refusals:
    """The reader's errors of values: those of `validator`, asked only where `guard` says that it ends in time."""

    def __init__(self, validator: Any, guard: Validator) -> None:
        self._validator = validator
        self._guard = guard

    def relation(self, finding: Finding, value: Any) -> int:
        """2: the value is refused only for what `finding` says, 1: for that too, 0: for something else."""
        related = [_relates(finding, error) for error in self._errors(value)]
        return 0 if not any(related) else 2 if all(related) else 1

    def reason(self, finding: Finding | None, value: Any) -> str:
        """The place and the reason of the refusal that belongs to `finding`, else of the first; "" for none."""
        errors = self._errors(value)
        for error in [one for one in errors if finding is not None and _relates(finding, one)] or errors:
            place = place_name(steps_of(pointer_of(list(error.instance_path))))
            return f"{place}: {sentence(error)}"
        return ""

    def place(self, value: Any) -> str:
        """The pointer to the first thing refused."""
        for error in self._errors(value):
            return pointer_of(list(error.instance_path))
        return ""

    def _errors(self, value: Any) -> list[ValidationError]:
        if not self._guard.explains(value):
            return []
        return list(islice(self._validator.iter_errors(value), SHOWN))


def _relates(finding: Finding, error: ValidationError) -> bool:
    kind: Any = error.kind
    name = str(kind.name)
    here = [key for _, key in finding.steps]
    there = list(error.instance_path)
    if name == "required":
        return (
            finding.word in (*_ABSENT, *_OF_WHOLE, "if", "whole")
            and there[: len(here)] == here
            and (finding.word not in _ABSENT or (there == here and kind.property == finding.wanted))
        )
    if finding.word in _ABSENT and name not in _OF_WHOLE:
        return False
    if there[: len(here)] == here:
        return True
    return name in _OF_WHOLE and here[: len(there)] == there
