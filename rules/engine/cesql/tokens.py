"""The words of an expression (CESQL §2), as the conformance kit and the published grammar read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from rules.engine.cesql.errors import error_at

MAX_BYTES = 64 * 1024
MAX_TOKENS = 10_000


class Kind(Enum):
    NUMBER = "a number"
    STRING = "a string"
    WORD = "a name"
    KEYWORD = "a keyword"
    OPERATOR = "an operator"
    END = "the end"


KEYWORDS = frozenset({"AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE"})


@dataclass(frozen=True, slots=True)
class Token:
    """text: keywords in upper case, strings without quotes and escapes, all else as written."""

    kind: Kind
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"(?P<number>[0-9]+(?![A-Za-z0-9_]))|(?P<word>[A-Za-z0-9_]+)|(?P<operator><>|!=|<=|>=|[()=<>+\-*/%,])"
)
_SPACE = re.compile(r"[ \t\r\n]*")
_STRINGS = {
    "'": re.compile(r"'((?:[^'\\]|\\.|'')*+)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.|"")*+)"', re.DOTALL),
}
_ESCAPES = {
    "'": re.compile(r"\\.|''", re.DOTALL),
    '"': re.compile(r'\\.|""', re.DOTALL),
}

_INSTEAD = {
    ".": "only attributes can be asked for, never parts of data: for those use a pattern",
    "&": "write AND instead",
    "|": "write OR instead",
    "!": "write NOT, or != for “not equal”",
    ";": "an expression ends where its text ends",
    "`": "attributes are written without quotes, strings in ' or \"",
    "[": "lists are written in parentheses, as in type IN ('a', 'b')",
    "~": "patterns are written with LIKE, as in type LIKE 'com.%'",
}
_TYPOGRAPHIC_QUOTES = "‘’‚“”„«»´"


def tokens_of(text: str) -> list[Token]:
    """All tokens, the last one of kind END. Raises CesqlError."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        message = r"half of a surrogate pair (\ud800 to \udfff) is not a character"
        raise error_at(text, error.start, message) from None
    if size > MAX_BYTES:
        message = f"the expression has {size:,} bytes: at most {MAX_BYTES:,} are understood"
        raise error_at(text, 0, message)
    tokens: list[Token] = []
    at = _after_space(text, 0)
    while at < len(text):
        if len(tokens) == MAX_TOKENS:
            raise error_at(
                text, at, f"more than {MAX_TOKENS:,} words and signs: at most that many are understood"
            )
        token = _token(text, at)
        tokens.append(token)
        at = _after_space(text, token.end)
    tokens.append(Token(Kind.END, "", len(text), len(text)))
    return tokens


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _token(text: str, at: int) -> Token:
    character = text[at]
    if character in _STRINGS:
        found = _STRINGS[character].match(text, at)
        if found is None:
            raise error_at(text, at, f"this string has no end: close it with {character}")
        return Token(Kind.STRING, _unescaped(found[1], character), at, found.end())
    if text.startswith("==", at):
        raise error_at(text, at, "`==` is not understood: write a single =")
    found = _TOKEN.match(text, at)
    if found is None:
        if character in _TYPOGRAPHIC_QUOTES:
            raise error_at(text, at, f"`{character}` is not understood: strings are written in ' or \"")
        hint = _INSTEAD.get(character, "strings are written in quotes, names in letters and digits")
        raise error_at(text, at, f"`{character}` is not understood: {hint}")
    if found["number"] is not None:
        return Token(Kind.NUMBER, found[0], at, found.end())
    if found["operator"] is not None:
        return Token(Kind.OPERATOR, found[0], at, found.end())
    if found[0].upper() in KEYWORDS:
        return Token(Kind.KEYWORD, found[0].upper(), at, found.end())
    return Token(Kind.WORD, found[0], at, found.end())


def _unescaped(text: str, quote: str) -> str:
    """A quote may be written with a backslash or twice; any other backslash is a character of the string."""
    if quote not in text:
        return text
    return _ESCAPES[quote].sub(lambda found: quote if found[0][1] == quote else found[0], text)
