"""CloudEvents SQL (CESQL 1.0): expressions over the attributes of an event, never its data.

`parse` reads any valid expression; `parse_filter` also refuses what could never take an event. Pure functions over
values, total: evaluation gives a value and an error, it never raises. Language and examples: docs/cesql.md.
"""

from rules.engine.cesql.conditions import Atom
from rules.engine.cesql.errors import CesqlError, ErrorKind, EvaluationError
from rules.engine.cesql.explanation import Finding, SqlExplanation
from rules.engine.cesql.expression import Expression, parse, parse_filter
from rules.engine.cesql.functions import BUILT_IN, Function, FunctionFailed, FunctionTable
from rules.engine.cesql.values import Type

__all__ = [
    "BUILT_IN",
    "Atom",
    "CesqlError",
    "ErrorKind",
    "EvaluationError",
    "Expression",
    "Finding",
    "Function",
    "FunctionFailed",
    "FunctionTable",
    "SqlExplanation",
    "Type",
    "parse",
    "parse_filter",
]
