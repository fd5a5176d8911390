"""The rules engine: which rules take an event, why a rule did not, and what a target is sent.

Pure functions over values: no Django, no clock, no network, nothing of the rest of the house.
Language, cost and limits: README.md beside this file.
"""

from rules.engine.aws_event import read_event
from rules.engine.condition import Condition
from rules.engine.event import ABSENT, Absent, Event
from rules.engine.explanation import Explanation, explain
from rules.engine.filter import Filter
from rules.engine.filter import validate_filter as validate
from rules.engine.matcher import Matcher, compile
from rules.engine.pattern_error import PatternError
from rules.engine.transform import Flow, Output, Transform, TransformError, compile_transform
from rules.engine.types_taken import compile_types, types_taken

__all__ = [
    "ABSENT",
    "Absent",
    "Condition",
    "Event",
    "Explanation",
    "Filter",
    "Flow",
    "Matcher",
    "Output",
    "PatternError",
    "Transform",
    "TransformError",
    "compile",
    "compile_transform",
    "compile_types",
    "explain",
    "read_event",
    "types_taken",
    "validate",
]
