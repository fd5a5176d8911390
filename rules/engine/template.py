"""Templates: text with ${placeholders}, never evaluated, only filled in.

A template that is JSON once its placeholders are filled gives JSON: a string that is only a placeholder
becomes the typed value, inside a longer string (or a key) the value goes in as escaped text, and an unquoted
placeholder is the JSON value. Any other template is plain text. $${ stands for ${ itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rules.engine.json_path import EventPath, PathError, Reading, parse_placeholder
from rules.engine.omission import MAX_DEPTH, Container, structure
from rules.engine.slots import Flow, Form, Slot
from rules.engine.spec import MAX_OUTPUT_BYTES, Missing
from rules.engine.transform_error import TransformError

MAX_TEMPLATE_BYTES = 256 * 1024

_OPENING = re.compile(r"\$?\$\{")
_INSIDE = re.compile(r"((?:'[^'\n]*'|[^'}\n])*)\}")
_QUOTE = re.compile(r'\\.?|"', re.DOTALL)
# A placeholder of AWS; in markup it would be closed by </name>.
_ANGLE = re.compile(r"<([A-Za-z_][A-Za-z0-9_.-]*)>")
_KEY_FOLLOWS = re.compile(r'"\s*:')


@dataclass(frozen=True, slots=True)
class Placeholder:
    path: EventPath
    at: int  # offsets in the template
    end: int


@dataclass(frozen=True, slots=True)
class Template:
    """pieces: what the output is made of: bytes as they are, indexes into slots, objects and lists with members that
    may be left out. flows: where each placeholder's value goes. not_json: why it is text."""

    pieces: tuple[bytes | int | Container, ...]
    slots: tuple[Slot, ...]
    missing: Missing
    flows: tuple[Flow, ...]
    not_json: str | None

    def render(self, reading: Reading) -> bytes:
        """The output for an event. Raises TransformError above 1 MiB, and for a value that is missing or too dear."""
        output = _Output(self, reading)
        output.add(self.pieces)
        return b"".join(output.written)


class _Output:
    """One output in the making; each slot is filled at most once."""

    def __init__(self, template: Template, reading: Reading) -> None:
        self.template = template
        self.reading = reading
        self.filled: list[bytes | None] = [None] * len(template.slots)
        self.asked = [False] * len(template.slots)
        self.written: list[bytes] = []
        self.size = 0

    def value(self, number: int) -> bytes | None:
        if not self.asked[number]:
            self.filled[number] = self.template.slots[number].fill(self.reading, self.template.missing)
            self.asked[number] = True
        return self.filled[number]

    def add(self, pieces: Sequence[bytes | int | Container]) -> None:
        for piece in pieces:
            if isinstance(piece, Container):
                self._add_container(piece)
                continue
            if isinstance(piece, bytes):
                self._write(piece)
                continue
            value = self.value(piece)
            # Nothing to leave out here: inside a longer text, or a placeholder that is the whole template.
            self._write(self.template.slots[piece].nothing if value is None else value)

    def _add_container(self, container: Container) -> None:
        self._write(container.opening)
        comma = b""
        for member in container.members:
            if any(self.value(number) is None for number in member.needs):
                continue
            self._write(comma)
            self.add(member.pieces)
            comma = b","
        self._write(container.closing)

    def _write(self, text: bytes) -> None:
        self.size += len(text)
        if self.size > MAX_OUTPUT_BYTES:
            raise TransformError(
                f"the output is larger than {MAX_OUTPUT_BYTES:,} bytes, the most that is sent"
            )
        self.written.append(text)


def compile_template(
    text: str, variables: dict[str, EventPath], missing: Missing = "null", as_json: bool | None = None
) -> Template:
    """The compiled template. Raises TransformError with line and column.

    as_json: whether it must be JSON, must be text, or (None) is what it turns out to be.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise _error(text, error.start, "half of a surrogate pair is not a character") from None
    if size > MAX_TEMPLATE_BYTES:
        raise TransformError(
            f"the template has {size:,} bytes: at most {MAX_TEMPLATE_BYTES:,} are understood"
        )
    tokens = tokens_of(text, variables)
    if as_json is None and len(tokens) == 1:
        _refuse_angles(text)
    in_string = _in_strings(tokens)
    wrong = (
        _Syntax("its content type is no JSON", None)
        if as_json is False
        else _not_json(text, tokens, in_string)
    )
    if wrong is not None and as_json:
        if wrong.at is None:
            raise TransformError(f"this is not JSON: {wrong.message}")
        line, column = wrong.at
        angle = _ANGLE.match(text.split("\n")[line - 1], column - 1)
        raise TransformError(f"this is not JSON: {_of_aws(angle) if angle else wrong.message}", line, column)
    if wrong is not None:
        return _assemble(
            [token if isinstance(token, str) else Slot(Form.TEXT, token.path) for token in tokens],
            missing,
            str(wrong),
        )
    return _assemble(_json_parts(tokens, in_string), missing, None)


def _refuse_angles(text: str) -> None:
    """Raises TransformError when a template that fills in nothing has placeholders as AWS writes them."""
    for found in _ANGLE.finditer(text):
        if f"</{found[1]}>" not in text:
            raise _error(text, found.start(), _of_aws(found))


def _of_aws(found: re.Match[str]) -> str:
    name = found[1].removeprefix("aws.events.")
    return (
        f"“{found[0]}” is AWS's way: write ${{{name}}}, or convert it (`transforms:convert` of the API, "
        "`manage.py rules convert FILE`). If it is meant as it stands, name a content_type such as text/html"
    )


def _error(text: str, at: int, message: str) -> TransformError:
    return TransformError(message, *_place(text, at))


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def tokens_of(text: str, variables: dict[str, EventPath]) -> list[str | Placeholder]:
    """Literal text and placeholders in turn: first, last and between two placeholders always a text."""
    tokens: list[str | Placeholder] = []
    literal: list[str] = []
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        literal.append(text[at : opening.start()])
        at = opening.end()
        if opening.group() == "$${":
            literal.append("${")
            continue
        inside = _INSIDE.match(text, at)
        if inside is None:
            message = "this ${ is not closed by } on its line; write $${ for the characters ${"
            raise _error(text, opening.start(), message)
        try:
            path = parse_placeholder(inside[1], variables)
        except PathError as error:
            raise _error(text, at + error.at, error.message) from None
        tokens += ["".join(literal), Placeholder(path, opening.start(), inside.end())]
        literal = []
        at = inside.end()
    tokens.append("".join(literal) + text[at:])
    return tokens


def _in_strings(tokens: list[str | Placeholder]) -> list[bool]:
    """For each token, whether it begins inside a JSON string."""
    result = []
    inside = False
    for token in tokens:
        result.append(inside)
        if isinstance(token, str):
            for mark in _QUOTE.finditer(token):
                if mark.group() == '"':
                    inside = not inside
    return result


@dataclass(frozen=True, slots=True)
class _Syntax:
    """Why a template is not JSON, and at which line and column."""

    message: str
    at: tuple[int, int] | None

    def __str__(self) -> str:
        return self.message if self.at is None else f"line {self.at[0]}, column {self.at[1]}: {self.message}"


def _not_json(text: str, tokens: list[str | Placeholder], in_string: list[bool]) -> _Syntax | None:
    """None when the template is JSON with its placeholders filled, else what is wrong."""
    filled: list[str] = []
    at = 0
    for token, inside in zip(tokens, in_string, strict=True):
        if isinstance(token, Placeholder):
            # As long as the placeholder, so that the parser's position is one of the template. No escape sequence
            # goes on with an x: a backslash before a placeholder is no JSON.
            size = token.end - token.at
            filled += [text[at : token.at], "x" * size if inside else "null".ljust(size)]
            at = token.end
    filled.append(text[at:])
    try:
        json.loads("".join(filled), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return _Syntax(error.msg, (error.lineno, error.colno))
    except RecursionError:
        raise TransformError(f"the template is nested too deep: at most {MAX_DEPTH} levels") from None
    except ValueError as error:
        return _Syntax(str(error), None)
    return None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _json_parts(tokens: list[str | Placeholder], in_string: list[bool]) -> list[str | Slot]:
    parts: list[str | Slot] = []
    cut = 0  # characters of the next text that went with the string a placeholder replaced
    for index, token in enumerate(tokens):
        if isinstance(token, str):
            parts.append(token[cut:])
            cut = 0
        elif not in_string[index]:
            parts.append(Slot(Form.JSON, token.path))
        else:
            before, after = tokens[index - 1], tokens[index + 1]
            assert isinstance(before, str)
            assert isinstance(after, str)
            opened = before.endswith('"') and not _open_before_last_quote(before, in_string[index - 1])
            if opened and after.startswith('"') and not _KEY_FOLLOWS.match(after):
                kept = parts[-1]
                assert isinstance(kept, str)
                parts[-1] = kept[:-1]
                parts.append(Slot(Form.JSON, token.path))
                cut = 1
            else:
                parts.append(Slot(Form.INSIDE, token.path))
    return parts


def _open_before_last_quote(text: str, begins_inside: bool) -> bool:
    """Whether the last character of `text`, a quote, stands inside a string."""
    quotes = sum(mark.group() == '"' for mark in _QUOTE.finditer(text, 0, len(text) - 1))
    return begins_inside != bool(quotes % 2)


def _assemble(parts: list[str | Slot], missing: Missing, not_json: str | None) -> Template:
    numbers: dict[Slot, int] = {}
    for part in parts:
        if isinstance(part, Slot):
            numbers.setdefault(part, len(numbers))
    pieces: tuple[bytes | int | Container, ...]
    if not_json is None:
        structured, flows = structure(parts, numbers)
    else:
        structured, flows = (), [Flow(part.path.text, None) for part in parts if isinstance(part, Slot)]
    if not_json is None and missing == "omit":
        pieces = structured
    else:
        pieces = tuple(numbers[part] if isinstance(part, Slot) else part.encode() for part in parts if part)
    return Template(pieces, tuple(numbers), missing, tuple(flows), not_json)
