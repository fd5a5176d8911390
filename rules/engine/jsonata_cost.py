"""What the functions of JSONata may cost: sizes of what they are given, and those that are replaced or not offered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from rules.engine import exact_json
from rules.engine.json_path_query import Steps
from rules.engine.transform_error import TransformError

MAX_TEXT = 1024 * 1024  # characters; an output has no more bytes
MAX_PICTURE = 100
MAX_TIMESTAMP = 64
_CHARACTERS = 16  # handled for one step
_BITS = 4096

# Another answer at every try, or code that comes out of data.
NOT_OFFERED = {
    "eval": "it would run what an event says",
    "now": "a retry or a replay would send something else; $.time is when it happened",
    "millis": "a retry or a replay would send something else; $.time is when it happened",
    "random": "a retry or a replay would send something else",
    "shuffle": "a retry or a replay would send something else",
}

# What these do does not depend on what is deep inside their arguments.
_SHALLOW = frozenset(
    [
        "append",
        "count",
        "each",
        "exists",
        "filter",
        "keys",
        "lookup",
        "map",
        "reduce",
        "reverse",
        "sift",
        "single",
        "sort",
        "type",
        "zip",
    ]
)
_PICTURES = frozenset(["formatNumber", "formatInteger", "parseInteger", "fromMillis", "toMillis"])
_LONG_WIDTH = re.compile(r",[^\]]*[0-9]{3}")
_SIMPLE_COMPONENT = re.compile(r"\[[YMDHhms][0-9#]*(?:,[0-9*-]*)?\]")


def size(value: Any, limit: int) -> int:
    """How much there is to look at in a value and all that is in it, in steps; counting ends above `limit`."""
    total, todo = 0, [value]
    while todo and total <= limit:
        one = todo.pop()
        total += surface(one)
        if isinstance(one, list):
            todo.extend(one)
        elif isinstance(one, dict):
            todo.extend(one.values())
    return total


def surface(value: Any) -> int:
    """The same without what is in it. Raises TransformError for a text or a number larger than any output."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise TransformError(f"a text has more than {MAX_TEXT:,} characters")
        return 1 + len(value) // _CHARACTERS
    if isinstance(value, list | dict):
        return 1 + len(value)
    if type(value) is int and value.bit_length() > _BITS:
        raise TransformError("a number is too large")
    return 1


def spread(value: list[Any], limit: int) -> int:
    """The size of a list and the lists in it, which looking a name up in it walks through."""
    total, todo = 0, [value]
    while todo and total <= limit:
        one = todo.pop()
        total += 1 + len(one)
        todo.extend([inner for inner in one if isinstance(inner, list)])
    return total


def charge(name: str, arguments: list[Any], steps: Steps) -> None:
    """Takes the steps of one call. Raises TooManySteps, or TransformError for arguments that no output needs."""
    if name in _SHALLOW:
        steps.take(sum(map(surface, arguments)))
    else:
        steps.take(sum(size(argument, steps.left) for argument in arguments))
    first, second = (*arguments, None, None)[:2]
    if name == "sort" and isinstance(first, list):
        steps.take(len(first) * len(first).bit_length() // 4)
    elif name == "spread" and isinstance(first, list):
        steps.take(len(first) ** 2 // 100)
    elif name == "pad":
        width = second if isinstance(second, int | float) else 0
        if abs(width) > MAX_TEXT:
            raise TransformError(f"$pad makes at most {MAX_TEXT:,} characters")
    elif name == "join" and isinstance(first, list) and isinstance(second, str):
        if len(first) * len(second) > MAX_TEXT:
            raise TransformError(f"$join makes at most {MAX_TEXT:,} characters")
    elif name in ("split", "replace") and isinstance(first, str) and isinstance(second, str):
        steps.take(first.count(second))
    elif name in _PICTURES:
        _check_picture(name, first, second)
        steps.take(100)
    elif name == "formatBase" and isinstance(first, int | float) and abs(first) >= 2**63:
        raise TransformError("$formatBase takes numbers up to 2^63")


def _check_picture(name: str, first: Any, picture: Any) -> None:
    if isinstance(first, str) and len(first) > MAX_TIMESTAMP:
        raise TransformError(f"${name} reads at most {MAX_TIMESTAMP} characters")
    if name in ("formatInteger", "fromMillis") and isinstance(first, int | float) and abs(first) >= 1e16:
        raise TransformError(f"${name} takes numbers up to 1e16")
    if not isinstance(picture, str):
        return
    if len(picture) > MAX_PICTURE:
        raise TransformError(f"a picture has at most {MAX_PICTURE} characters")
    if name == "fromMillis" and _LONG_WIDTH.search(picture):
        raise TransformError("a width in a picture has at most two digits")
    # The library reads a timestamp with a backtracking expression: five parts of any length are quick enough.
    if name == "toMillis" and picture.count("[") - len(_SIMPLE_COMPONENT.findall(picture)) > 5:
        raise TransformError("a picture for $toMillis has at most five parts that are not plain numbers")


def distinct(values: Any) -> Any:
    """$distinct: each value once, in order; the library compares every value with every other."""
    if not isinstance(values, list) or len(values) <= 1:
        return values
    seen: dict[bytes, Any] = {}
    for value in values:
        seen.setdefault(_identity(value), value)
    return type(values)(seen.values()) if len(seen) < len(values) else values


def _identity(value: Any) -> bytes:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return exact_json.encode(_sorted(value))
    return repr(float(value)).encode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if value is None or isinstance(value, bool | str):
        return value
    # The library has a null of its own; everything else is a function.
    return None if str(value) == "null" else str(value)


def clone(value: Any) -> Any:
    """A copy of a JSON value, numbers as they are written."""
    if isinstance(value, dict):
        return {name: clone(one) for name, one in value.items()}
    if isinstance(value, list):
        return [clone(one) for one in value]
    return value


def replace(
    text: str, pattern: Any, replacement: Any, limit: int | None, call: Callable[[Any, list[Any]], Any]
) -> str:
    """$replace: $0, $1 … and $$ in a replacement for a regular expression's match; functions get the match.

    Raises TransformError for a result that is too long. call: applies a function of the expression.
    """
    count = len(text) + 1 if limit is None else int(limit)
    if isinstance(pattern, str):
        if not pattern:
            raise TransformError("$replace looks for a text that is not empty")
        if isinstance(replacement, str):
            if min(text.count(pattern), count) * len(replacement) > MAX_TEXT:
                raise TransformError(f"$replace makes at most {MAX_TEXT:,} characters")
            return text.replace(pattern, replacement, count)
    out: list[str] = []
    at = total = 0
    for start, end, groups in islice(_matches(text, pattern), count):
        if isinstance(replacement, str):
            put = _filled(replacement, groups)
        else:
            match = {"match": groups[0], "start": start, "end": end, "groups": groups[1:]}
            put = call(replacement, [match])
            if not isinstance(put, str):
                raise TransformError("the function that $replace is given must return a text")
        out += [text[at:start], put]
        total += len(put)
        if total > MAX_TEXT:
            raise TransformError(f"$replace makes at most {MAX_TEXT:,} characters")
        at = end
    return "".join(out) + text[at:]


def _matches(text: str, pattern: Any) -> Iterator[tuple[int, int, list[str]]]:
    """Start, end, and the match with its groups, of each place where a text or a regular expression is found."""
    if isinstance(pattern, str):
        at = text.find(pattern)
        while at >= 0:
            yield at, at + len(pattern), [pattern]
            at = text.find(pattern, at + len(pattern))
        return
    for match in pattern.finditer(text):
        yield (
            match.start(),
            match.end(),
            [match.group(number) or "" for number in range(len(match.groups()) + 1)],
        )


def _filled(replacement: str, groups: list[str]) -> str:
    digits = len(str(len(groups) - 1))

    def put(found: re.Match[str]) -> str:
        written = found[1]
        if written == "$":
            return "$"
        # $12 is group 12 when there are so many, else group 1 and a 2.
        for length in range(min(digits, len(written)), 0, -1):
            number = int(written[:length])
            if number < len(groups):
                return groups[number] + written[length:]
        return written[digits:] if len(written) > digits else ""

    return re.sub(r"\$(\$|[0-9]+)", put, replacement)
