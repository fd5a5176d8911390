"""JSON text with places: what is wrong at which line, and at which line a JSON pointer (RFC 6901) points."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isinf
from typing import Any, NoReturn

import msgspec

DEPTH = 100
# No value people mean has more; Python reads at most 4,300, and other languages far fewer.
DIGITS = 1000


@dataclass(frozen=True)
class Mistake:
    """Something wrong in a JSON text: a sentence for people, the place as pointer and as line and column (from 1)."""

    message: str
    pointer: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}" if self.line else self.message


class NotJson(ValueError):
    """The text is no JSON; `mistake` says why and where."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


class _Refused(ValueError):
    """`word` is a number that only Python's parser takes."""

    def __init__(self, message: str, word: str) -> None:
        super().__init__(message)
        self.word = word


def parse(text: str, deepest: int = DEPTH) -> Any:
    """The value of JSON `text`.

    Raises NotJson, also for names that repeat, NaN, numbers no computer holds and nesting deeper than `deepest`.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_constant=_constant,
            parse_int=_whole_number,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        raise NotJson(_syntax(text, error)) from None
    except _Refused as error:
        raise NotJson(_at(text, _outside_of_texts(text, error.word), str(error))) from None
    except RecursionError:
        raise NotJson(Mistake(f"Too deeply nested. At most {deepest} levels are allowed.")) from None
    if depth(value, deepest) > deepest:
        raise NotJson(Mistake(f"Too deeply nested. At most {deepest} levels are allowed."))
    _refuse_repeats(text, value)
    return value


def depth(value: Any, enough: int = DEPTH) -> int:
    """How many levels of objects and arrays `value` has; a scalar has 0. Stops to count above `enough`."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        item, level = todo.pop()
        if isinstance(item, dict | list):
            deepest = max(deepest, level)
            if deepest > enough:
                break
            todo.extend((child, level + 1) for child in (item.values() if isinstance(item, dict) else item))
    return deepest


def pointer_of(path: Sequence[str | int]) -> str:
    """The JSON pointer of a path (RFC 6901 §3)."""
    whole = "/".join(["", *map(str, path)])
    if "~" not in whole and whole.count("/") == len(path):
        return whole
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


class Lines:
    """At which line (from 1) of a JSON text the value at a pointer begins; worked out once, when first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _lines(self) -> dict[str, int]:
        places, _ = _places(self._text)
        found: dict[str, int] = {}
        line, last = 1, 0
        for pointer, offset in places.items():
            line += self._text.count("\n", last, offset)
            found[pointer], last = line, offset
        return found

    def of(self, pointer: str) -> int | None:
        """The line of the value at `pointer`; its nearest parent's when it is missing."""
        return nearest(self._lines, pointer)


def nearest(lines: dict[str, int], pointer: str) -> int | None:
    """What `lines` says about `pointer`, or about its nearest parent."""
    while pointer not in lines:
        if not pointer:
            return None
        pointer = pointer.rpartition("/")[0]
    return lines[pointer]


def line_of(text: str, pointer: str) -> int | None:
    """The line (from 1) in `text` at which the value at `pointer` begins; its nearest parent's when it is missing."""
    return Lines(text).of(pointer)


def located(text: str, pointer: str, message: str) -> Mistake:
    """A mistake at `pointer` of `text`, with its line."""
    return Mistake(message, pointer, line_of(text, pointer))


class _Repeats(dict[str, Any]):
    """An object in which `name` stood twice."""

    name: str = ""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeats, seen = _Repeats(found), set()
    for name, _value in pairs:
        if name in seen:
            repeats.name = name
            break
        seen.add(name)
    return repeats


def _refuse_repeats(text: str, value: Any) -> None:
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, _Repeats):
            _, repeated = _places(text)
            message = f"“{item.name}” is written twice in the same object. Keep one of them."
            raise NotJson(_at(text, repeated, message) if repeated is not None else Mistake(message))
        if isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is no JSON value.", name)


def _whole_number(word: str) -> int:
    if len(word) > DIGITS:
        raise _Refused(
            f"This number has too many digits, {len(word):,} of at most {DIGITS:,}. Write it as a text, or with an exponent.",
            word,
        )
    return int(word)


def _number(word: str) -> float:
    value = float(word)
    if isinf(value):
        raise _Refused(f"{word[:40]} is larger than any number a computer holds.", word)
    return value


def _outside_of_texts(text: str, word: str) -> int:
    """The offset of the first token `word` of `text`, 0 when there is none."""
    return next((token.start() for token in _TOKEN.finditer(text) if token[0] == word), 0)


def in_lines(text: str) -> str:
    """JSON of one line over several, every value as it was written; anything else as it is."""
    if "\n" in text.strip():
        return text
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.MsgspecError, RecursionError):
        return text


SHOWN = 24  # characters of what stands at a mistake


def _at(text: str, offset: int, message: str) -> Mistake:
    line = text.count("\n", 0, offset) + 1
    return Mistake(message, None, line, offset - (text.rfind("\n", 0, offset) + 1) + 1)


def _syntax(text: str, error: json.JSONDecodeError) -> Mistake:
    """Python's word for a syntax error, as a sentence that says what to do."""
    line = text[error.pos :].split("\n", 1)[0].strip()
    rest = line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
    here = f" before {rest}" if rest else " at the end"
    word = error.msg
    if not text.strip():
        return Mistake("This is empty. Write a JSON value, at least {}.", None, 1, 1)
    if word.startswith("Expecting ',' delimiter"):
        sentence = f"A comma or a closing bracket is missing{here}."
    elif word.startswith("Expecting ':' delimiter"):
        sentence = f"A colon is missing{here}."
    elif word.startswith(("Expecting property name", "Illegal trailing comma")):
        sentence = f"A name in double quotes must stand here, or a comma is too much{here}."
    elif word.startswith("Expecting value"):
        sentence = f"A value is missing{here}."
    elif word.startswith("Extra data"):
        sentence = f"The JSON ends before this. Remove {rest or 'what follows'}."
    elif word.startswith("Unterminated string"):
        sentence = "A text begins here and its closing quote is missing."
    elif word.startswith("Invalid control character"):
        sentence = "A text holds a line break or a control character. Write \\n or \\t instead."
    elif word.startswith("Invalid \\"):
        sentence = 'A backslash must be followed by one of " \\ / b f n r t u. Write \\\\ for a backslash.'
    else:
        sentence = f"{word}{here}."
    return Mistake(sentence, None, error.lineno, error.colno)


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def _places(text: str) -> tuple[dict[str, int], int | None]:
    """Where each pointer's value (for a member: its name) begins, and where the first repeated name stands."""
    places: dict[str, int] = {}
    repeated: int | None = None
    # Per open bracket: its pointer, and for an array the index that comes next (None for an object).
    stack: list[tuple[str, list[int] | None]] = []
    name: tuple[str, int] | None = None

    def begin(offset: int) -> str:
        nonlocal name, repeated
        if not stack:
            pointer = ""
        else:
            parent, index = stack[-1]
            if index is None:
                member, offset = name or ("", offset)
                pointer = parent + pointer_of([member])
                if pointer in places and repeated is None:
                    repeated = offset
            else:
                pointer = f"{parent}/{index[0]}"
                index[0] += 1
        name = None
        places.setdefault(pointer, offset)
        return pointer

    for token in _TOKEN.finditer(text):
        word, offset = token[0], token.start()
        if word in "{[":
            stack.append((begin(offset), [0] if word == "[" else None))
        elif word in "}]":
            if stack:
                stack.pop()
        elif word in ",:":
            continue
        elif word[0] == '"' and stack and stack[-1][1] is None and name is None:
            try:
                name = (json.loads(word), offset)
            except ValueError:
                name = (word, offset)
        else:
            begin(offset)
    return places, repeated
