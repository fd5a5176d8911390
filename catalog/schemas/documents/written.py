"""A pasted text as a value, with the line of everything in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.schemas.documents.yaml_text import read_yaml
from catalog.schemas.limits import DOCUMENT_BYTES, LEVELS, too_many_bytes, too_many_nodes
from catalog.schemas.text import Lines, Mistake, NotJson, nearest, parse


class Written:
    """A parsed text. `line_of(pointer)` is the line (from 1) at which the value at `pointer` begins, or its parent."""

    def __init__(self, value: Any, line_of: Callable[[str], int | None], form: str) -> None:
        self.value = value
        self.line_of = line_of
        self.form = form

    def mistake(self, pointer: str, message: str) -> Mistake:
        """`message` about the value at `pointer`, with its line."""
        return Mistake(message, pointer, self.line_of(pointer))


def read_text(text: str) -> Written:
    """The value of JSON or YAML `text`, within the limits of catalog.schemas.limits. Raises NotJson."""
    if message := too_many_bytes(text, DOCUMENT_BYTES):
        raise NotJson(Mistake(message))
    if text.lstrip("\ufeff \t\r\n")[:1] in ("", "{", "["):
        text = text.removeprefix("\ufeff")
        value = parse(text, LEVELS)
        if message := too_many_nodes(value):
            raise NotJson(Mistake(message))
        return Written(value, Lines(text).of, "JSON")
    value, lines = read_yaml(text)
    return Written(value, lambda pointer: nearest(lines, pointer), "YAML")


def of_value(value: Any) -> Written:
    """A value that is parsed already; it has no lines. Raises NotJson when it is above the limits."""
    if message := too_many_nodes(value):
        raise NotJson(Mistake(message))
    return Written(value, lambda pointer: None, "JSON")
