"""I-Regexp (RFC 9485), the regular expressions of JSONPath, matched by RE2 in time linear in the text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

MAX_PATTERN = 1024

_ESCAPE = r"\\[()*+\-.?\[\\\]^nrt{|}]"
_CATEGORY = r"\\[pP]\{(?:L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|Z[lps]?|S[ckmo]?|C[cfno]?)\}"
_IN_CLASS = rf"(?:(?:[^\-\[\\\]]|{_ESCAPE})(?:-(?:[^\-\[\\\]]|{_ESCAPE}))?|{_CATEGORY})"
_TOKEN = re.compile(
    rf"(?P<atom>[^()*+.?\[\\\]{{|}}]|{_ESCAPE}|{_CATEGORY}|\[\^?(?:-|{_IN_CLASS}){_IN_CLASS}*-?\])"
    r"|(?P<dot>\.)|(?P<quantifier>[*+?]|\{[0-9]+(?:,[0-9]*)?\})|(?P<open>\()|(?P<close>\))|(?P<or>\|)",
    re.DOTALL,
)


class RegexError(ValueError):
    """A pattern that is no I-Regexp, or too large to be matched in time."""


@lru_cache(maxsize=256)
def compile_regex(pattern: str) -> Any:
    """A compiled pattern with `search` and `fullmatch`. Raises RegexError, saying what is wrong."""
    if len(pattern) > MAX_PATTERN:
        raise RegexError(f"a regular expression has at most {MAX_PATTERN:,} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(_translated(pattern), options=options)
    except (re2.error, UnicodeEncodeError):
        raise RegexError(
            f"the regular expression {pattern[:60]} is too large to be matched in time"
        ) from None


def _translated(pattern: str) -> str:
    """The pattern as RE2 reads it: a dot is any character but \\n and \\r (RFC 9485 §5.3).

    ^ and $ stay anchors, as the compliance suite of JSONPath has them, although RFC 9485 gives them no meaning.
    """
    out: list[str] = []
    at = depth = 0
    repeatable = False
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        kind = token.lastgroup if token is not None else None
        if token is None or (kind == "quantifier" and not repeatable) or (kind == "close" and depth == 0):
            raise RegexError(
                f"“{pattern[at : at + 10]}” has no meaning in a regular expression of JSONPath (RFC 9485): "
                "there is no \\d, \\w, look-around or back-reference; write [0-9] for \\d"
            )
        depth += (kind == "open") - (kind == "close")
        repeatable = kind in ("atom", "dot", "close")
        out.append(r"[^\n\r]" if kind == "dot" else token.group())
        at = token.end()
    if depth:
        raise RegexError("a bracket is not closed in a regular expression")
    return "".join(out)
