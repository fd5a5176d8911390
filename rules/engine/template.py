"""Templates: text with ${placeholders}, never evaluated, only filled in.

A template that is JSON once its placeholders are filled gives JSON: a string that is only a placeholder
becomes the typed value, inside a longer string (or a key) the value goes in as escaped text, and an unquoted
placeholder is the JSON value. Any other template is plain text. $${ stands for ${ itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from rules.engine.event import ABSENT, Event
from rules.engine.json_path import EventPath, PathError, parse_placeholder

MAX_TEMPLATE_BYTES = 256 * 1024
MAX_OUTPUT_BYTES = 1024 * 1024

_OPENING = re.compile(r"\$?\$\{")
_INSIDE = re.compile(r"((?:'[^'\n]*'|[^'}\n])*)\}")
_QUOTE = re.compile(r'\\.?|"', re.DOTALL)
_KEY_FOLLOWS = re.compile(r'"\s*:')


class TransformError(ValueError):
    """A transform that is not understood, or an output too large. line and column count from 1; None outside a
    template."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return (
            self.message if self.line is None else f"line {self.line}, column {self.column}: {self.message}"
        )


@dataclass(frozen=True, slots=True)
class Placeholder:
    path: EventPath
    at: int  # offsets in the template
    end: int


Render = Callable[[EventPath, Event], bytes]
Slot = tuple[Render, EventPath]


@dataclass(frozen=True, slots=True)
class Template:
    """pieces: what the output is made of, bytes as they are and indexes into slots; not_json: why it is text."""

    pieces: tuple[bytes | int, ...]
    slots: tuple[Slot, ...]
    not_json: str | None

    def render(self, event: Event) -> bytes:
        """The output for an event. Raises TransformError above 1 MiB."""
        filled: list[bytes | None] = [None] * len(self.slots)
        output: list[bytes] = []
        size = 0
        for piece in self.pieces:
            if isinstance(piece, int):
                value = filled[piece]
                if value is None:
                    render, path = self.slots[piece]
                    value = filled[piece] = render(path, event)
                piece = value
            size += len(piece)
            if size > MAX_OUTPUT_BYTES:
                raise TransformError(
                    f"the output is larger than {MAX_OUTPUT_BYTES:,} bytes, the most that is sent"
                )
            output.append(piece)
        return b"".join(output)


def compile_template(text: str, variables: dict[str, EventPath]) -> Template:
    """The compiled template. Raises TransformError with line and column."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise _error(text, error.start, "half of a surrogate pair is not a character") from None
    if size > MAX_TEMPLATE_BYTES:
        raise TransformError(
            f"the template has {size:,} bytes: at most {MAX_TEMPLATE_BYTES:,} are understood"
        )
    tokens = _tokens(text, variables)
    in_string = _in_strings(tokens)
    not_json = _why_not_json(text, tokens, in_string)
    if not_json is not None:
        return _assemble(
            [token if isinstance(token, str) else (_as_text, token.path) for token in tokens], not_json
        )
    return _assemble(_json_parts(tokens, in_string), None)


def _error(text: str, at: int, message: str) -> TransformError:
    return TransformError(message, *_place(text, at))


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _tokens(text: str, variables: dict[str, EventPath]) -> list[str | Placeholder]:
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


def _why_not_json(text: str, tokens: list[str | Placeholder], in_string: list[bool]) -> str | None:
    """None when the template is JSON with its placeholders filled, else what is wrong, with line and column."""
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
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        raise TransformError("the template is nested too deep") from None
    except ValueError as error:
        return str(error)
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
            parts.append((_as_json, token.path))
        else:
            before, after = tokens[index - 1], tokens[index + 1]
            assert isinstance(before, str)
            assert isinstance(after, str)
            opened = before.endswith('"') and not _open_before_last_quote(before, in_string[index - 1])
            if opened and after.startswith('"') and not _KEY_FOLLOWS.match(after):
                kept = parts[-1]
                assert isinstance(kept, str)
                parts[-1] = kept[:-1]
                parts.append((_as_json, token.path))
                cut = 1
            else:
                parts.append((_as_escaped_text, token.path))
    return parts


def _open_before_last_quote(text: str, begins_inside: bool) -> bool:
    """Whether the last character of `text`, a quote, stands inside a string."""
    quotes = sum(mark.group() == '"' for mark in _QUOTE.finditer(text, 0, len(text) - 1))
    return begins_inside != bool(quotes % 2)


def _assemble(parts: list[str | Slot], not_json: str | None) -> Template:
    slots: dict[Slot, int] = {}
    pieces: list[bytes | int] = []
    for part in parts:
        if not isinstance(part, str):
            pieces.append(slots.setdefault(part, len(slots)))
        elif part:
            pieces.append(part.encode())
    return Template(tuple(pieces), tuple(slots), not_json)


def _as_json(path: EventPath, event: Event) -> bytes:
    """The JSON value; null when missing."""
    if path.is_whole_event:
        return event.to_json()
    value = path.value(event)
    return b"null" if value is ABSENT else _encode(value)


def _as_text(path: EventPath, event: Event) -> bytes:
    """A string as it is, any other value as JSON; nothing when missing."""
    if path.is_whole_event:
        return event.to_json()
    value = path.value(event)
    if value is ABSENT:
        return b""
    if isinstance(value, str):
        return value.encode(errors="replace")
    return _encode(value)


def _as_escaped_text(path: EventPath, event: Event) -> bytes:
    """The text, escaped for the inside of a JSON string."""
    return msgspec.json.encode(_as_text(path, event).decode(errors="replace"))[1:-1]


def _encode(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (ValueError, RecursionError) as error:
        raise TransformError(f"a value of the event cannot be written as JSON: {error}") from error
