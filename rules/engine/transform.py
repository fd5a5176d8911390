"""Transforms: what of an event a target is sent. Compiled once when a rule is saved or loaded, applied per event."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rules.engine.event import Event
from rules.engine.json_path import EventPath, Reading
from rules.engine.jsonata import compile_jsonata
from rules.engine.partial import Body, Compiled, compile_constant, compile_partial, event_path
from rules.engine.slots import Flow
from rules.engine.spec import (
    JSON_TYPE,
    TEXT_TYPE,
    content_type_of,
    is_json_type,
    missing_of,
    refuse_other_members,
)
from rules.engine.template import compile_template
from rules.engine.transform_error import TransformError

__all__ = ["Flow", "Output", "Transform", "TransformError", "compile_transform"]

MAX_VARIABLES = 200
FOREIGN = frozenset({"Input", "InputPath", "InputTransformer", "InputTemplate", "InputPathsMap", "form"})
"""Members that only transforms of AWS, Alibaba Cloud and RocketMQ have."""

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Output:
    """What is sent: the body, and the media type that goes with it."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Transform:
    """A compiled transform; threads may share it.

    whole: deliver the event itself, in the target's content mode; `apply` then gives it in CloudEvents JSON format.
    content_type: the media type of every output.
    not_json: for a text template, why it is no JSON, with line and column (an editor shows it); else None.
    flows: which place of the event goes to which place of the output, in the order of the output.
    """

    whole: bool
    content_type: str
    not_json: str | None
    flows: tuple[Flow, ...]
    _body: Body

    @property
    def reads(self) -> tuple[str, ...]:
        """The JSONPaths of what is taken from an event, each once; "$" is all of it. Empty for a constant."""
        return tuple(dict.fromkeys(flow.path for flow in self.flows))

    def apply(self, event: Event) -> Output:
        """The output for one event.

        Raises TransformError when it would be larger than 1 MiB or takes too many steps, or when a value is missing
        and the spec makes that an error.
        """
        return Output(self._body(Reading(event)), self.content_type)


def compile_transform(spec: dict[str, Any]) -> Transform:
    """The transform of a target's spec. Its kinds, with `?` after what may be left out:

    {"kind": "complete"}: the event as it is;
    {"kind": "partial", "path": JSONPath, "missing"?, "content_type"?}: one value of it;
    {"kind": "partial", "paths": {name: JSONPath}, "missing"?, "content_type"?}: an object of named parts;
    {"kind": "constant", "value": any JSON} or {"kind": "constant", "text": text}, "content_type"?: always the same;
    {"kind": "template", "template": text, "variables"?: {name: JSONPath}, "missing"?, "content_type"?}: see template.py;
    {"kind": "jsonata", "expression": text, "missing"?, "content_type"?}: see jsonata.py.

    "missing" is what to do when a value is not in an event: "error", "null" (unless said otherwise) or "omit".
    Raises TransformError, saying what would be right, with line and column inside a template.
    """
    if not isinstance(spec, dict):
        raise TransformError('a transform is an object, as in {"kind": "complete"}')
    kind = spec.get("kind")
    compiler = _KINDS.get(kind) if isinstance(kind, str) else None
    if compiler is None:
        if "kind" not in spec and not FOREIGN.isdisjoint(spec):
            raise TransformError(
                "this is a transform of another event bus: convert it first, with `transforms:convert` of the API "
                "or `manage.py rules convert FILE`"
            )
        kinds = ", ".join(f"“{name}”" for name in _KINDS)
        wrong = "a transform names its kind" if kind is None else f"“{kind}” is no kind of transform"
        raise TransformError(f"{wrong}: the kinds are {kinds}", pointer="/kind")
    return compiler(spec)


def _complete(spec: dict[str, Any]) -> Transform:
    refuse_other_members(spec)
    flows = (Flow("$", ""),)
    return Transform(
        True, "application/cloudevents+json", None, flows, lambda reading: reading.event.to_json()
    )


def _of(compile: Callable[[dict[str, Any]], Compiled]) -> Callable[[dict[str, Any]], Transform]:
    def compiler(spec: dict[str, Any]) -> Transform:
        body, content_type, flows = compile(spec)
        return Transform(False, content_type, None, flows, body)

    return compiler


def _template(spec: dict[str, Any]) -> Transform:
    refuse_other_members(spec, "template", "variables", "missing", "content_type")
    text = spec.get("template")
    if not isinstance(text, str):
        raise TransformError("a transform of kind “template” has its text in “template”, a string")
    content_type = content_type_of(spec)
    as_json = None if content_type is None else is_json_type(content_type)
    template = compile_template(text, _variables(spec.get("variables")), missing_of(spec), as_json)
    if content_type is None:
        content_type = JSON_TYPE if template.not_json is None else TEXT_TYPE
    return Transform(False, content_type, template.not_json, template.flows, template.render)


def _variables(written: Any) -> dict[str, EventPath]:
    if written is None:
        return {}
    if not isinstance(written, dict):
        raise TransformError('“variables” is an object of names and paths, as in {"total": "$.data.total"}')
    if len(written) > MAX_VARIABLES:
        raise TransformError(
            f"“variables” has {len(written):,} members: at most {MAX_VARIABLES} are understood"
        )
    variables: dict[str, EventPath] = {}
    for name, path in written.items():
        if not isinstance(name, str) or not _VARIABLE_NAME.fullmatch(name) or name == "data":
            rule = "letters, digits, _ and -, not starting with a digit, and not “data”"
            raise TransformError(f"“{name}” is no name for a variable: {rule}")
        variables[name] = event_path(path, f"the variable “{name}”")
    return variables


_KINDS: dict[str, Callable[[dict[str, Any]], Transform]] = {
    "complete": _complete,
    "partial": _of(compile_partial),
    "constant": _of(compile_constant),
    "template": _template,
    "jsonata": _of(compile_jsonata),
}
