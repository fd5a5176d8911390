"""Event patterns ("EventPattern 1"): a JSON object in the shape of the event, lists of alternatives at its leaves.

A superset of the patterns of AWS EventBridge and of Alibaba Cloud / Apache RocketMQ EventBridge; docs/patterns.md has
the language.
"""

from __future__ import annotations

import json
from typing import Any

from rules.engine.located_json import DuplicateKeys, Place, locate, read
from rules.engine.pattern_error import PatternError
from rules.engine.pattern_reader import TOO_DEEP, Known, PatternReader
from rules.engine.requirement import Pattern

MAX_PATTERN_BYTES = 64 * 1024

WrittenPattern = str | bytes | dict[str, Any]


def validate(pattern: WrittenPattern) -> list[PatternError]:
    """Everything wrong in a pattern, in its order; empty when it is valid. Never raises for any text or JSON value."""
    return _parse(pattern, Known())[1]


def compile_pattern(pattern: WrittenPattern, known: Known | None = None) -> Pattern:
    """The compiled pattern; `known` lets patterns share what is equal. Raises PatternError for the first thing wrong."""
    compiled, problems = _parse(pattern, known or Known())
    if problems:
        raise problems[0]
    return compiled


def _parse(pattern: WrittenPattern, known: Known) -> tuple[Pattern, list[PatternError]]:
    try:
        text, written = _read(pattern)
    except PatternError as problem:
        return Pattern(()), [problem]
    except DuplicateKeys as repeats:
        assert not isinstance(pattern, dict)
        places = _places(pattern)
        message = "this key is written twice in one object: keep one, or put both values into one list"
        return Pattern(()), [PatternError(at, None, message).at(places.get(at)) for at in repeats.pointers]
    reader = PatternReader(known)
    reader.read(written)
    if reader.problems and text is not None:
        places = _places(text)
        return Pattern(()), [one.at(places.get(one.pointer)) for one in reader.problems]
    return Pattern(() if reader.problems else reader.branches), reader.problems


def _places(text: str | bytes) -> dict[str, Place]:
    try:
        return locate(text if isinstance(text, str) else text.decode())[0]
    except RecursionError:
        return {}


def _read(pattern: WrittenPattern) -> tuple[str | None, Any]:
    if not isinstance(pattern, str | bytes):
        try:
            size = len(json.dumps(pattern, separators=(",", ":")))
        except RecursionError:
            raise PatternError("", None, TOO_DEEP) from None
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
        raise PatternError("", None, TOO_DEEP) from None
    except json.JSONDecodeError as error:
        message = f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise PatternError("", error.lineno, message, column=error.colno) from None
    except DuplicateKeys:
        raise
    except ValueError as error:
        raise PatternError("", None, f"not JSON: {error}") from None


def _too_big(size: int) -> str:
    return f"the pattern has {size:,} bytes: at most {MAX_PATTERN_BYTES:,} are understood"
