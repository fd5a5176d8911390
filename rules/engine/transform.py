"""Transforms: what of an event a target is sent. Compiled once when a rule is saved or loaded, applied per event."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rules.engine.event import Event
from rules.engine.json_path import EventPath, PathError, parse_json_path
from rules.engine.template import Template, TransformError, compile_template

__all__ = ["Output", "Transform", "TransformError", "compile_transform"]

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Output:
    """What is sent: the body, and the media type that goes with it."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Transform:
    """A compiled transform.

    whole: deliver the event itself, in the target's content mode; `apply` then gives it in CloudEvents JSON format.
    content_type: the media type of every output.
    not_json: for a text template, why it is no JSON, with line and column (an editor shows it); else None.
    """

    whole: bool
    content_type: str
    not_json: str | None
    _body: Callable[[Event], bytes]

    def apply(self, event: Event) -> Output:
        """The output for one event. Raises TransformError when it would be larger than 1 MiB."""
        return Output(self._body(event), self.content_type)


def compile_transform(spec: dict[str, Any]) -> Transform:
    """The transform of a target's spec; its kinds:

    {"kind": "complete"}: the event as it is;
    {"kind": "template", "template": text, "variables"?: {name: JSONPath}}: see template.py.
    Raises TransformError, saying what would be right, with line and column inside a template.
    """
    if not isinstance(spec, dict):
        raise TransformError('a transform is an object, as in {"kind": "complete"}')
    kind = spec.get("kind")
    compiler = _KINDS.get(kind) if isinstance(kind, str) else None
    if compiler is None:
        kinds = ", ".join(f"“{name}”" for name in _KINDS)
        wrong = "a transform names its kind" if kind is None else f"“{kind}” is no kind of transform"
        raise TransformError(f"{wrong}: the kinds are {kinds}")
    return compiler(spec)


def _refuse_other_members(spec: dict[str, Any], *known: str) -> None:
    for name in spec:
        if name not in known:
            raise TransformError(
                f"“{name}” has no meaning in a transform of kind “{spec['kind']}”: remove it"
            )


def _complete(spec: dict[str, Any]) -> Transform:
    _refuse_other_members(spec, "kind")
    return Transform(True, "application/cloudevents+json", None, Event.to_json)


def _template(spec: dict[str, Any]) -> Transform:
    _refuse_other_members(spec, "kind", "template", "variables")
    text = spec.get("template")
    if not isinstance(text, str):
        raise TransformError("a transform of kind “template” has its text in “template”, a string")
    template: Template = compile_template(text, _variables(spec.get("variables")))
    content_type = "application/json" if template.not_json is None else "text/plain; charset=utf-8"
    return Transform(False, content_type, template.not_json, template.render)


def _variables(written: Any) -> dict[str, EventPath]:
    if written is None:
        return {}
    if not isinstance(written, dict):
        raise TransformError('“variables” is an object of names and paths, as in {"total": "$.data.total"}')
    variables: dict[str, EventPath] = {}
    for name, path in written.items():
        if not isinstance(name, str) or not _VARIABLE_NAME.fullmatch(name) or name == "data":
            rule = "letters, digits, _ and -, not starting with a digit, and not “data”"
            raise TransformError(f"“{name}” is no name for a variable: {rule}")
        if not isinstance(path, str):
            raise TransformError(f"the variable “{name}” takes a JSONPath, as in $.data.total")
        try:
            variables[name] = parse_json_path(path)
        except PathError as error:
            raise TransformError(f"the variable “{name}”, column {error.at + 1}: {error.message}") from None
    return variables


_KINDS: dict[str, Callable[[dict[str, Any]], Transform]] = {"complete": _complete, "template": _template}
