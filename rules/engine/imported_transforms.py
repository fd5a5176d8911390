"""Transforms as other event buses write them, turned into ours.

AWS EventBridge targets (Input, InputPath, InputTransformer) and the TransformParams of Alibaba Cloud EventBridge and
Apache RocketMQ EventBridge (form, value, template).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rules.engine.alternative import show
from rules.engine.json_path import PathError, parse_json_path, written_path
from rules.engine.transform import compile_transform
from rules.engine.transform_error import TransformError

_QUOTE = re.compile(r'\\.?|"', re.DOTALL)
_DOLLAR = re.compile(r"\$?\$\{([^}\n]*)\}")
_ANGLE = re.compile(r"<([A-Za-z0-9_.-]+)>")
_AWS_STEP = re.compile(r"\.(?P<name>[A-Za-z0-9_/-]+)|\[(?P<index>[0-9]{1,9})\]|(?P<every>\[\*\]|\.\*)")
# Members of an AWS event, and where a CloudEvent has them.
_AWS_MEMBERS = {"detail": "data", "detail-type": "type", "id": "id", "source": "source", "time": "time"}
_AWS_INPUTS = ("Input", "InputPath", "InputTransformer", "InputTemplate", "InputPathsMap")
_AWS_EVENT = frozenset(["aws.events.event", "aws.events.event.json"])


@dataclass(frozen=True, slots=True)
class Imported:
    """spec: what compile_transform understands; notes: where it does something else than the original did."""

    spec: dict[str, Any]
    notes: tuple[str, ...]


def imported(written: Any) -> Imported:
    """The transform of what AWS, Alibaba Cloud or RocketMQ wrote, whichever its members say. Raises TransformError."""
    if isinstance(written, dict):
        if any(str(name).lower() == "form" for name in written):
            return from_alibaba(written)
        if any(name in written for name in _AWS_INPUTS):
            return from_aws(written)
    raise TransformError(
        "this is no transform of AWS (an object with Input, InputPath, or InputTemplate and InputPathsMap) "
        "nor of Alibaba Cloud or RocketMQ (an object with form, value, template)"
    )


def from_aws(target: dict[str, Any]) -> Imported:
    """The transform of an AWS EventBridge target: its Input, InputPath or InputTransformer, all of it without them.

    What is in InputTransformer may also be given by itself. Raises TransformError, whose pointer is the member at
    fault, when there is nothing of ours that does the same.
    """
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name) is not None]
    if len(given) > 1:
        raise TransformError(f"only one of {' and '.join(given)} can count", pointer=f"/{given[1]}")
    if (written := target.get("Input")) is not None:
        try:
            return _checked({"kind": "constant", "value": json.loads(written)}, [])
        except (TypeError, ValueError):
            raise TransformError("Input is text that holds JSON", pointer="/Input") from None
    if (path := target.get("InputPath")) is not None:
        ours = _aws_path(path, "/InputPath")
        return _checked({"kind": "complete"} if ours == "$" else {"kind": "partial", "path": ours}, [])
    transformer, at = target.get("InputTransformer"), "/InputTransformer"
    if transformer is None and ("InputTemplate" in target or "InputPathsMap" in target):
        transformer, at = target, ""
    if transformer is None:
        return _checked({"kind": "complete"}, ["AWS sends its own envelope; here the CloudEvent is sent"])
    if not isinstance(transformer, dict) or not isinstance(transformer.get("InputTemplate"), str):
        raise TransformError(
            "InputTransformer is an object with InputTemplate, a text, and, perhaps, InputPathsMap",
            pointer=at,
        )
    paths = transformer.get("InputPathsMap") or {}
    if not isinstance(paths, dict):
        raise TransformError("InputPathsMap is an object of names and paths", pointer=f"{at}/InputPathsMap")
    names = _Names()
    variables = {
        names.of(name): _aws_path(path, f"{at}/InputPathsMap/{name.replace('~', '~0').replace('/', '~1')}")
        for name, path in paths.items()
    }

    unknown: list[str] = []

    def put(name: str, inside: bool) -> str | None:
        if name in paths:
            return f"${{{names.of(name)}}}"
        if name in _AWS_EVENT:
            return "${*}"
        if name == "aws.events.event.ingestion-time":
            return "${time}"
        if name.startswith("aws."):
            raise TransformError(
                f"<{name}> has no counterpart: write its value into the template",
                pointer=f"{at}/InputTemplate",
            )
        if f"</{name}>" not in transformer["InputTemplate"]:
            unknown.append(f"<{name}> has no path in InputPathsMap")
        return None

    text = _filled(transformer["InputTemplate"].replace("${", "$${"), _ANGLE, put)
    if unknown and "${" not in text.replace("$${", ""):
        raise TransformError(unknown[0], pointer=f"{at}/InputTemplate")
    notes = [*names.notes, *(f"{one}, so that it stands in the output as it is" for one in unknown)]
    if any(f"<{name}>" in transformer["InputTemplate"] for name in _AWS_EVENT):
        notes.append("the event is the CloudEvent, not the envelope of AWS")
    if "<aws.events.event.ingestion-time>" in transformer["InputTemplate"]:
        notes.append("the time of ingestion became the time of the event")
    return _checked(_template(text, variables), notes + _typed(text), f"{at}/InputTemplate")


def from_alibaba(param: dict[str, Any]) -> Imported:
    """The transform of a TransformParam {form, value, template} of Alibaba Cloud or RocketMQ EventBridge.

    Raises TransformError when there is nothing of ours that does the same.
    """
    lowered = {str(name).lower(): value for name, value in param.items()}
    form, value = str(lowered.get("form", "")).upper(), lowered.get("value")
    if form == "ORIGINAL":
        return _checked({"kind": "complete"}, [])
    if form == "CONSTANT" and isinstance(value, str):
        return _checked({"kind": "constant", "text": value}, [])
    if form == "JSONPATH" and isinstance(value, str):
        if not value.startswith("$"):
            notes = ["it does not start with $, so that the original sends it as it stands"]
            return _checked({"kind": "constant", "text": value}, notes)
        return _checked(
            {"kind": "partial", "path": value, "content_type": "text/plain"}, _indefinite(value, "the path")
        )
    if form == "TEMPLATE" and isinstance(lowered.get("template"), str):
        return _alibaba_template(lowered["template"], value)
    raise TransformError(
        "a TransformParam is {form: ORIGINAL}, {form: CONSTANT or JSONPATH, value: text} or "
        "{form: TEMPLATE, value: {name: path or text}, template: text}"
    )


def _alibaba_template(template: str, value: Any) -> Imported:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except ValueError:
            raise TransformError("the value of a TEMPLATE is a JSON object of names and paths") from None
    if not isinstance(value, dict | None):
        raise TransformError("the value of a TEMPLATE is a JSON object of names and paths")
    value = value or {}
    names = _Names()
    variables: dict[str, str] = {}
    notes: list[str] = []

    def put(name: str, inside: bool) -> str | None:
        if name not in value:
            if name.partition(":-")[0] in value and ":-" in name:
                raise TransformError(f"the default in ${{{name}}} has no counterpart: use JSONata")
            notes.append(f"${{{name}}} has no value, so that it stands in the output as it is")
            return f"$${{{name}}}"
        written = value[name]
        if isinstance(written, str) and written.startswith("$"):
            variables[names.of(name)] = written
            notes.extend(_indefinite(written, f"“{name}”"))
            return f"${{{names.of(name)}}}"
        text = written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)
        text = json.dumps(text, ensure_ascii=False)[1:-1] if inside else text
        return text.replace("${", "$${")

    text = _filled(template, _DOLLAR, put)
    return _checked(_template(text, variables), list(names.notes) + notes + _typed(text), "/template")


def _filled(template: str, placeholder: re.Pattern[str], put: Callable[[str, bool], str | None]) -> str:
    """The template with what `put` gives for each placeholder's name; None leaves it as it is.

    The second argument of `put` is whether the placeholder stands inside a JSON string.
    """
    out: list[str] = []
    at, inside = 0, False
    for found in placeholder.finditer(template):
        between = template[at : found.start()]
        inside ^= sum(mark.group() == '"' for mark in _QUOTE.finditer(between)) % 2 == 1
        new = None if found.group().startswith("$$") else put(found[1], inside)
        out += [between, found.group() if new is None else new]
        at = found.end()
    return "".join(out) + template[at:]


class _Names:
    """Names of variables that ours may have: another one where the original's may not be."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self.notes: list[str] = []

    def of(self, name: str) -> str:
        if name not in self.given:
            ours = re.sub(r"[^A-Za-z0-9_-]", "_", name)
            if not re.match("[A-Za-z_]", ours) or ours == "data":
                ours = f"v_{ours}"
            while ours in self.given.values():
                ours += "_"
            self.given[name] = ours
            if ours != name:
                self.notes.append(f"the variable “{name}” is called “{ours}” here")
        return self.given[name]


def _aws_path(path: Any, pointer: str) -> str:
    """An AWS path, into the AWS event, as JSONPath into a CloudEvent. Raises TransformError with that pointer."""
    if not isinstance(path, str) or not path.startswith("$"):
        raise TransformError(
            f"{show(path)} is no path: it starts with $, as in $.detail.state", pointer=pointer
        )
    steps: list[str | int | None] = []
    at = 1
    while at < len(path):
        found = _AWS_STEP.match(path, at)
        if found is None:
            raise TransformError(
                f"“{path[at : at + 20]}” is not understood in the path {path}", pointer=pointer
            )
        if found["name"] is not None:
            steps.append(found["name"])
        else:
            steps.append(None if found["every"] else int(found["index"]))
        at = found.end()
    if steps:
        member = _AWS_MEMBERS.get(str(steps[0]))
        if member is None:
            raise TransformError(
                f"{path} has no counterpart in a CloudEvent: only {', '.join(_AWS_MEMBERS)} have",
                pointer=pointer,
            )
        steps[0] = member
    return written_path("$", tuple(steps))


def _template(text: str, variables: dict[str, str]) -> dict[str, Any]:
    return {"kind": "template", "template": text, **({"variables": variables} if variables else {})}


def _indefinite(path: str, what: str) -> list[str]:
    """A note when the original would not follow a path."""
    try:
        definite = parse_json_path(path).is_definite
    except PathError:
        return []  # compile_transform says what is wrong
    if definite:
        return []
    return [f"{what} may find several values and gives a list here; the original sends it as it stands"]


def _typed(text: str) -> list[str]:
    if not re.search(r'"\$\{[^}]*\}"', text):
        return []
    return ["a variable alone in quotes keeps its type: a number is sent as a number, not as text"]


def _checked(spec: dict[str, Any], notes: list[str], pointer: str = "") -> Imported:
    """pointer: where the original has what may be wrong with `spec`; lines and columns of ours mean nothing there."""
    try:
        compile_transform(spec)
    except TransformError as error:
        raise TransformError(error.message, pointer=pointer) from None
    return Imported(spec, tuple(dict.fromkeys(notes)))
