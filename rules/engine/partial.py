"""Parts of an event: one value of it, or an object of named parts. And constants, which take nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rules.engine import exact_json
from rules.engine.json_path import EventPath, PathError, Reading, parse_json_path
from rules.engine.slots import Flow, Form, Slot, not_writable
from rules.engine.spec import (
    JSON_TYPE,
    TEXT_TYPE,
    Missing,
    content_type_of,
    is_json_type,
    missing_of,
    refuse_other_members,
    within_size,
)
from rules.engine.transform_error import TransformError

MAX_PATHS = 200

Body = Callable[[Reading], bytes]


class Compiled(NamedTuple):
    """What a kind of transform comes to. flows: where each value goes."""

    body: Body
    content_type: str
    flows: tuple[Flow, ...]


def compile_partial(spec: dict[str, Any]) -> Compiled:
    """{"kind": "partial", "path": JSONPath} or {"kind": "partial", "paths": {name: JSONPath}}."""
    refuse_other_members(spec, "path", "paths", "missing", "content_type")
    if ("path" in spec) == ("paths" in spec):
        raise TransformError(
            "a transform of kind “partial” has “path”, a JSONPath whose value is sent, or “paths”, an object of "
            'names and JSONPaths, as in {"total": "$.data.total"}'
        )
    if "path" in spec:
        return _one(spec)
    return _named(spec)


def _one(spec: dict[str, Any]) -> Compiled:
    path = event_path(spec["path"], "“path”")
    missing = missing_of(spec, omittable=False)
    content_type = content_type_of(spec) or JSON_TYPE
    slot = Slot(Form.JSON if is_json_type(content_type) else Form.TEXT, path)

    def body(reading: Reading) -> bytes:
        value = slot.fill(reading, missing)
        assert value is not None  # only "omit" leaves out, and is refused here
        return within_size(value)

    return Compiled(body, content_type, (Flow(path.text, "" if slot.form is Form.JSON else None),))


def _named(spec: dict[str, Any]) -> Compiled:
    listed = spec["paths"]
    if not isinstance(listed, dict) or not listed:
        raise TransformError('“paths” is an object of names and JSONPaths, as in {"total": "$.data.total"}')
    if len(listed) > MAX_PATHS:
        raise TransformError(f"“paths” has {len(listed):,} members: at most {MAX_PATHS} are sent")
    paths = {name: event_path(path, f'the part "{name}"') for name, path in listed.items()}
    content_type = content_type_of(spec) or JSON_TYPE
    if not is_json_type(content_type):
        raise TransformError("“paths” make a JSON object: “content_type” must be JSON, or left out")
    missing = missing_of(spec)
    flows = tuple(
        Flow(path.text, f"/{name.replace('~', '~0').replace('/', '~1')}") for name, path in paths.items()
    )
    return Compiled(lambda reading: within_size(_object(paths, reading, missing)), content_type, flows)


def _object(paths: dict[str, EventPath], reading: Reading, missing: Missing) -> bytes:
    members = []
    for name, path in paths.items():
        value = Slot(Form.JSON, path).fill(reading, missing)
        if value is not None:
            members.append(exact_json.encode(name) + b":" + value)
    return b"{" + b",".join(members) + b"}"


def compile_constant(spec: dict[str, Any]) -> Compiled:
    """{"kind": "constant", "value": any JSON} or {"kind": "constant", "text": text}."""
    refuse_other_members(spec, "value", "text", "content_type")
    if ("value" in spec) == ("text" in spec):
        raise TransformError("a transform of kind “constant” has “value”, any JSON, or “text”, a string")
    content_type = content_type_of(spec)
    if "text" in spec:
        if not isinstance(spec["text"], str):
            raise TransformError("“text” is a string; for JSON write “value”")
        constant, content_type = spec["text"], content_type or TEXT_TYPE
        form = Form.TEXT
    else:
        constant, content_type = spec["value"], content_type or JSON_TYPE
        form = Form.JSON
    try:
        sent = within_size(constant.encode() if form is Form.TEXT else exact_json.encode(constant))
        if is_json_type(content_type):
            exact_json.decode(sent)
    except UnicodeEncodeError as error:
        raise not_writable(error, "the constant") from None
    except TransformError:
        raise
    except exact_json.NOT_WRITABLE as error:
        raise TransformError(f"the constant is not JSON, as its content type says: {error}") from None
    return Compiled(lambda reading: sent, content_type, ())


def event_path(text: Any, where: str) -> EventPath:
    """The path that stands at `where` in a spec. Raises TransformError, saying the place."""
    if not isinstance(text, str):
        raise TransformError(f"{where} takes a JSONPath, as in $.data.total")
    try:
        return parse_json_path(text)
    except PathError as error:
        raise TransformError(f"{where}, column {error.at + 1}: {error.message}") from None
