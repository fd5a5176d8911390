"""Regular expressions of schemas: whether one finds something, and texts that one accepts."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from re import _parser  # type: ignore[attr-defined]  # the only parser of patterns in the standard library
from typing import Any

import jsonschema_rs
from jsonschema_rs import RegexOptions

OPTIONS = RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)
_LONGEST = 200


@lru_cache(maxsize=512)
def _matcher(pattern: str) -> Any:
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=OPTIONS)
    except (jsonschema_rs.ValidationError, ValueError):
        return None


def finds(pattern: str, text: str) -> bool:
    """Whether the validator's engine finds `pattern` in `text`; False for a pattern it cannot read."""
    matcher = _matcher(pattern)
    return matcher is not None and bool(matcher.is_valid(text))


@lru_cache(maxsize=512)
def finds_in_all(pattern: str) -> bool:
    """Whether `pattern` is sure to be found in every text: it may be empty and looks at no place, as [a-z]*."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError, ValueError):
        return False
    return tree.getwidth()[0] == 0 and not re.search(r"\b(AT|ASSERT\w*|GROUPREF\w*)\b", repr(tree))


@lru_cache(maxsize=512)
def texts(pattern: str) -> tuple[str, ...]:
    """A few texts that `pattern` finds something in; empty when none was worked out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parser.parse(_python(pattern))
    except (re.error, RecursionError, OverflowError, ValueError):
        return ()
    found: dict[str, None] = {}
    for seed in range(6):
        try:
            text = _Writer(random.Random(seed), least=seed == 0).sequence(tree)
        except (_TooLong, RecursionError, KeyError, ValueError):
            continue
        # Each look costs the length of the text times the size of the pattern.
        if len(text) <= _LONGEST and finds(pattern, text):
            found[text] = None
    return tuple(found)


def _python(pattern: str) -> str:
    """Classes that only the validator's engine knows, as near ones of Python's."""
    pattern = re.sub(r"\\p\{(?:L[a-z]?|Letter|Lower\w*)\}", "[a-z]", pattern)
    return re.sub(r"\\p\{N[a-z]?\}", "[0-9]", pattern).replace(r"\z", r"\Z")


def _is_of_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


_CLASSES: dict[str, Callable[[str], bool]] = {"DIGIT": str.isdigit, "SPACE": str.isspace}


class _TooLong(Exception):
    pass


class _Writer:
    """Writes a text that a parsed pattern matches; look-around is left to the check afterwards."""

    def __init__(self, choice: random.Random, least: bool) -> None:
        self.choice = choice
        self.least = least
        self.left = _LONGEST * 4
        self.groups: dict[int, str] = {}

    def sequence(self, items: Any) -> str:
        return "".join(self.item(str(code), argument) for code, argument in items)

    def item(self, code: str, argument: Any) -> str:
        self.left -= 1
        if self.left < 0:
            raise _TooLong
        match code:
            case "LITERAL":
                return chr(argument)
            case "NOT_LITERAL":
                return "a" if argument != ord("a") else "b"
            case "ANY":
                return "a" if self.least else self.choice.choice("ab1 ")
            case "IN":
                return self.one_of(argument)
            case "BRANCH":
                ways = argument[1]
                return self.sequence(ways[0] if self.least else self.choice.choice(ways))
            case "SUBPATTERN":
                self.groups[argument[0]] = text = self.sequence(argument[-1])
                return text
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, inner = argument
                if least > _LONGEST:
                    raise _TooLong
                times = least if self.least else self.choice.randint(least, min(int(most), least + 3))
                return "".join(self.sequence(inner) for _ in range(times))
            case "ATOMIC_GROUP":
                return self.sequence(argument)
            case "GROUPREF":
                return self.groups[argument]
            case _:
                return ""

    def one_of(self, members: Any) -> str:
        refused = str(members[0][0]) == "NEGATE"
        wanted = [
            chr(code) for code in (*range(97, 123), *range(48, 58), *range(65, 91), 45, 95, 46, 32, 64, 233)
        ]
        inside: list[str] = []
        for code, argument in members[1:] if refused else members:
            match str(code):
                case "LITERAL":
                    inside.append(chr(argument))
                case "RANGE":
                    inside.extend(
                        chr(one) for one in range(argument[0], min(argument[1], argument[0] + 300) + 1)
                    )
                case "CATEGORY":
                    name = str(argument)
                    fits = _CLASSES.get(name.rpartition("_")[2], _is_of_word)
                    inside.extend(one for one in wanted if fits(one) != ("NOT" in name))
        options = [one for one in wanted if one not in inside] if refused else inside
        return options[0] if self.least else self.choice.choice(options)
