"""Writes documents as JSON or YAML, piece by piece: a catalog of any size needs the memory of its largest member."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

# Pieces below this size are joined, in bytes.
PIECE = 64 * 1024


class Members:
    """A JSON object whose members are made while it is written, each time anew.

    Everything above a Members in a document must be one too; `Members.of` makes one of a mapping.
    """

    def __init__(self, make: Callable[[], Iterable[tuple[str, Any]]]) -> None:
        self._make = make

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Members:
        """The members of `mapping`, without those that are None."""
        return cls(lambda: ((name, value) for name, value in mapping.items() if value is not None))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self._make())


def told(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """`mapping` without what is not known: None, empty texts, lists and objects."""
    return {name: value for name, value in mapping.items() if value or value is False or value == 0}


def plain(document: Any) -> Any:
    """`document` with every Members as a dict."""
    if isinstance(document, Members):
        return {name: plain(value) for name, value in document}
    return document


def json_pieces(document: Any) -> Iterator[bytes]:
    """UTF-8 JSON text, indented by two spaces, with a line break at its end."""
    yield from _joined(_json(document, b"\n"))


def yaml_pieces(*documents: Any) -> Iterator[bytes]:
    """UTF-8 YAML 1.2 text that a YAML 1.1 parser reads the same; several documents are separated by `---`."""
    yield from _joined(_yaml_stream(documents))


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    held.append(b"\n" if not held or not held[-1].endswith(b"\n") else b"")
    yield b"".join(held)


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.format(msgspec.json.encode(value), indent=2)
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can write
        return json.dumps(value, indent=2).encode()


def _json(value: Any, line: bytes) -> Iterator[bytes]:
    if not isinstance(value, Members):
        # JSON text holds no line breaks but those between its parts.
        yield _encoded(value).replace(b"\n", line)
        return
    inner = line + b"  "
    before = b"{" + inner
    for name, member in value:
        yield before + _encoded(name) + b": "
        yield from _json(member, inner)
        before = b"," + inner
    yield line + b"}" if before.startswith(b",") else b"{}"


# ── YAML ──

# Read as a text by every YAML parser, whatever stands around it.
_WORD = re.compile(r"[A-Za-z_/$](?:[\w./+;=$,()'’“”…-]|:(?=[A-Za-z0-9/])| (?=[\w(“]))*", re.ASCII)
# YAML 1.1 reads these as something else.
_NO_TEXT = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})
# A text that may stand as a literal block: it begins with something visible and ends with at most one line break.
_BLOCK = re.compile(
    r"[!-~][^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]*[^\s\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff\ufffe\uffff]\n?"
)
# What YAML 1.1 wants escaped beyond what JSON escapes.
_ESCAPED = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
# Of a key that is followed by a colon, YAML looks at 1,024 characters.
_KEY = 1000


def _yaml_stream(documents: tuple[Any, ...]) -> Iterator[bytes]:
    for index, document in enumerate(documents):
        if index:
            yield b"---\n"
        yield from _yaml(document, 0)


def _yaml(value: Any, depth: int) -> Iterator[bytes]:
    if not isinstance(value, Members):
        lines: list[str] = []
        if isinstance(value, dict | list) and value:
            _block(value, "  " * depth, lines)
        else:
            lines.append("  " * depth + _scalar(value, "  " * depth))
        yield ("\n".join(lines) + "\n").encode()
        return
    empty = True
    for name, member in value:
        empty = False
        start = _key(name, "  " * depth)
        if isinstance(member, Members) or (isinstance(member, dict | list) and member):
            first = next(pieces := _yaml(member, depth + 1), b"")
            if first.strip() == b"{}":
                yield f"{start} {{}}\n".encode()
                continue
            yield f"{start}\n".encode()
            yield first
            yield from pieces
        else:
            yield f"{start} {_scalar(member, '  ' * (depth + 1))}\n".encode()
    if empty:
        yield ("  " * depth + "{}\n").encode()


def _block(value: Any, indent: str, lines: list[str]) -> None:
    """Appends the lines of a dict or list that is not empty."""
    deeper = indent + "  "
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list) and item:
                at = len(lines)
                _block(item, deeper, lines)
                lines[at] = f"{indent}- {lines[at][len(deeper) :]}"
            else:
                lines.append(f"{indent}- {_scalar(item, deeper)}")
        return
    for name, member in value.items():
        if isinstance(member, dict | list) and member:
            lines.append(_key(name, indent))
            _block(member, deeper, lines)
        else:
            lines.append(f"{_key(name, indent)} {_scalar(member, deeper)}")


@lru_cache(maxsize=4096)
def _key_text(name: str) -> str:
    return _scalar(name, None)


def _key(name: str, indent: str) -> str:
    text = _key_text(name)
    return f"{indent}{text}:" if len(text) < _KEY else f"{indent}? {text}\n{indent}:"


def _scalar(value: Any, indent: str | None) -> str:
    """`value` (no dict or list with members) as YAML. `indent` is where a literal block would stand, None for a key."""
    if isinstance(value, str):
        if _WORD.fullmatch(value) and value.lower() not in _NO_TEXT:
            return value
        if indent and "\n" in value and _BLOCK.fullmatch(value):
            ends = value.endswith("\n")
            body = value[:-1] if ends else value
            return ("|\n" if ends else "|-\n") + "\n".join(
                indent + line if line else "" for line in body.split("\n")
            )
        return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        text = repr(value)
        # YAML 1.1 wants a point in every float.
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return json.dumps(value)
