"""Event patterns ("EventPattern 1"): a JSON object in the shape of the event, lists of alternatives at its leaves.

A superset of the patterns of AWS EventBridge and of Alibaba Cloud / Apache RocketMQ EventBridge; README.md has the
language as far as it is there.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from rules.engine.alternative import (
    EXACT_KINDS,
    NOT_THERE,
    UNDERSTOOD,
    Alternative,
    NotUnderstood,
    check_text,
    parse_alternative,
    show,
    type_names,
)
from rules.engine.located_json import DuplicateKeys, locate, pointer_step, read

MAX_PATTERN_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_LEAVES = 10_000
MAX_PATH = 1024

# The AWS envelope, so that patterns written for it can be pasted; other AWS fields are extensions of the same name.
_ENVELOPE = {"detail": "data", "detail-type": "type"}


class PatternError(ValueError):
    """One thing wrong in a pattern.

    pointer: JSON pointer (RFC 6901) of the place; line: its line from 1, None when the pattern was no text;
    message: what is wrong and what would be right; rule_id: set by `compile`.
    """

    def __init__(self, pointer: str, line: int | None, message: str, rule_id: int | None = None) -> None:
        super().__init__(pointer, line, message, rule_id)
        self.pointer = pointer
        self.line = line
        self.message = message
        self.rule_id = rule_id

    def __str__(self) -> str:
        rule = "" if self.rule_id is None else f"rule {self.rule_id}, "
        line = "" if self.line is None else f", line {self.line}"
        return f"{rule}{self.pointer or 'the pattern'}{line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a pattern asks of one path: that one of the alternatives holds for one of its leaves."""

    path: str
    alternatives: tuple[Alternative, ...]
    may_be_missing: bool  # one alternative is {"exists": false}
    exact: (
        frozenset[tuple[str, Hashable]] | None
    )  # (kind, key) of the alternatives when equality decides all of them

    def holds(self, leaf: Any) -> bool:
        return any(alternative.holds(leaf) for alternative in self.alternatives)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern: all requirements must hold. They stand as written, with no path twice."""

    requirements: tuple[Requirement, ...]


def validate(pattern: str | bytes | dict[str, Any]) -> list[PatternError]:
    """Everything wrong in a pattern, in its order; empty when it is valid. Never raises for any text or JSON value."""
    return _parse(pattern)[1]


def compile_pattern(pattern: str | bytes | dict[str, Any]) -> Pattern:
    """The compiled pattern. Raises PatternError for the first thing wrong."""
    compiled, problems = _parse(pattern)
    if problems:
        raise problems[0]
    return compiled


def _parse(pattern: str | bytes | dict[str, Any]) -> tuple[Pattern, list[PatternError]]:
    try:
        text, written = _read(pattern)
    except PatternError as problem:
        return Pattern(()), [problem]
    except DuplicateKeys as repeats:
        assert not isinstance(pattern, dict)
        lines = _lines(pattern)
        message = "this key is written twice in one object: keep one, or put both values into one list"
        return Pattern(()), [PatternError(at, lines.get(at), message) for at in repeats.pointers]
    reader = _PatternReader()
    reader.read_pattern(written)
    if reader.problems and text is not None:
        lines = _lines(text)
        located = [PatternError(one.pointer, lines.get(one.pointer), one.message) for one in reader.problems]
        return Pattern(()), located
    return Pattern(tuple(reader.requirements)), reader.problems


def _lines(text: str | bytes) -> dict[str, int]:
    try:
        return locate(text if isinstance(text, str) else text.decode())[0]
    except RecursionError:
        return {}


def _read(pattern: str | bytes | dict[str, Any]) -> tuple[str | None, Any]:
    if not isinstance(pattern, str | bytes):
        try:
            size = len(json.dumps(pattern, separators=(",", ":")))
        except RecursionError:
            raise PatternError("", None, _TOO_DEEP) from None
        except (TypeError, ValueError):  # the walk finds the place of what is not JSON, except a circle
            size = 0
        if size > MAX_PATTERN_BYTES:
            raise PatternError("", None, _too_big(size))
        return None, pattern
    try:
        text = pattern.decode() if isinstance(pattern, bytes) else pattern
        size = len(text.encode(errors="surrogatepass"))
    except UnicodeDecodeError as error:
        raise PatternError("", None, f"the pattern must be UTF-8 text: byte {error.start} is not") from None
    if size > MAX_PATTERN_BYTES:
        raise PatternError("", None, _too_big(size))
    try:
        return text, read(text)
    except RecursionError:
        raise PatternError("", None, _TOO_DEEP) from None
    except json.JSONDecodeError as error:
        message = f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise PatternError("", error.lineno, message) from None
    except DuplicateKeys:
        raise
    except ValueError as error:
        raise PatternError("", None, f"not JSON: {error}") from None


_TOO_DEEP = f"nested too deep: at most {MAX_DEPTH} levels are understood"


def _too_big(size: int) -> str:
    return f"the pattern has {size:,} bytes: at most {MAX_PATTERN_BYTES:,} are understood"


class _PatternReader:
    """Walks a decoded pattern, collecting requirements and everything wrong."""

    def __init__(self) -> None:
        self.requirements: list[Requirement] = []
        self.problems: list[PatternError] = []
        self._leaves = 0
        self._written_at: dict[str, str] = {}

    def read_pattern(self, written: Any) -> None:
        if not isinstance(written, dict):
            self._refuse("", f'a pattern is a JSON object, as in {{"type": ["a"]}}, not {_kind(written)}')
            return
        self._read_object(written, None, "")

    def _refuse(self, pointer: str, message: str) -> None:
        self.problems.append(PatternError(pointer, None, message))

    def _read_object(self, members: dict[Any, Any], path: str | None, pointer: str) -> None:
        for name, value in members.items():
            if not isinstance(name, str):
                self._refuse(pointer, f"names are strings, not {_kind(name)}")
                continue
            here = pointer + pointer_step(name)
            if name == "$or":
                self._refuse(here, f"`$or` is not understood here; {UNDERSTOOD}")
                continue
            inner = self._path(path, name, here)
            if inner is None:
                continue
            if isinstance(value, dict) and value:
                self._read_object(value, inner, here)
            elif isinstance(value, list) and value:
                self._read_field(inner, value, here)
            elif isinstance(value, dict):
                ask = f'{{"{name}": [{{"exists": true}}]}}'
                self._refuse(
                    here, f"an empty object asks for nothing: remove it, or ask for a field, as in {ask}"
                )
            elif isinstance(value, list):
                self._refuse(here, 'an empty list can never match: name what is wanted, as in ["a", "b"]')
            else:
                shown = show(value) if type(value) in type_names else "…"
                self._refuse(here, f"alternatives are written in a list: [{shown}]")

    def _path(self, path: str | None, name: str, pointer: str) -> str | None:
        """The full path of a member, or None when it was refused; bounded, so that recursion is."""
        try:
            check_text(name)
        except NotUnderstood as error:
            self._refuse(pointer, error.message)
            return None
        if path is None:
            first, dot, rest = name.partition(".")
            full = _ENVELOPE.get(first, first) + dot + rest
        else:
            full = f"{path}.{name}"
        if len(full) > MAX_PATH:
            self._refuse(
                pointer, f"the path has {len(full):,} characters: at most {MAX_PATH:,} are understood"
            )
        elif full.count(".") >= MAX_DEPTH:
            self._refuse(pointer, _TOO_DEEP)
        else:
            return full
        return None

    def _read_field(self, path: str, written: list[Any], pointer: str) -> None:
        before = self._leaves
        self._leaves += len(written)
        if self._leaves > MAX_LEAVES:
            if before <= MAX_LEAVES:
                self._refuse(
                    pointer, f"more than {MAX_LEAVES:,} alternatives: at most that many are understood"
                )
            return
        first_at = self._written_at.setdefault(path, pointer)
        if first_at != pointer:
            message = f"`{path}` is asked for at {first_at} already: put all its alternatives into one list"
            self._refuse(pointer, message)
            return
        alternatives = tuple(dict.fromkeys(self._alternatives(written, pointer)))
        missing = any(alternative.kind == NOT_THERE for alternative in alternatives)
        exact = None
        if all(alternative.kind in EXACT_KINDS for alternative in alternatives):
            exact = frozenset((alternative.kind, alternative.key) for alternative in alternatives)
        self.requirements.append(Requirement(path, alternatives, missing, exact))

    def _alternatives(self, written: list[Any], pointer: str) -> Iterator[Alternative]:
        for index, entry in enumerate(written):
            try:
                yield parse_alternative(entry)
            except NotUnderstood as error:
                self._refuse(f"{pointer}/{index}{error.step}", error.message)


def _kind(value: Any) -> str:
    return type_names.get(type(value), "something that is not JSON")
