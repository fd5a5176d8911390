"""The objects and lists of a JSON template, so that a member whose value is missing can be left out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rules.engine.slots import Flow, Form, Slot
from rules.engine.transform_error import TransformError

MAX_DEPTH = 100
_MARK = re.compile(r'\\.|["{}\[\],:]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object or an entry of a list. `needs`: slots without whose values it is left out."""

    pieces: tuple[bytes | int | Container, ...]
    needs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Container:
    """An object or list: bracket, members, bracket."""

    opening: bytes
    members: tuple[Member, ...]
    closing: bytes


@dataclass
class _Open:
    """A bracket that is not closed yet, and the member that is being read."""

    opening: str
    pointer: str
    members: list[Member] = field(default_factory=list)
    pieces: list[bytes | int | Container] = field(default_factory=list)
    needs: list[int] = field(default_factory=list)
    in_name: bool = False
    name: str | None = ""  # None: only the event knows

    def begin(self) -> None:
        self.pieces, self.needs, self.name = [], [], ""
        self.in_name = self.opening == "{"

    def end(self) -> None:
        self.members.append(Member(tuple(self.pieces), tuple(self.needs)))
        self.begin()

    def place(self) -> str:
        """The pointer of the member that is being read."""
        if self.opening == "[":
            return f"{self.pointer}/{len(self.members)}"
        if self.opening == "":
            return self.pointer
        if self.name is None:
            return f"{self.pointer}/*"
        return f"{self.pointer}/{self.name.replace('~', '~0').replace('/', '~1')}"


def structure(
    parts: Sequence[str | Slot], numbers: dict[Slot, int]
) -> tuple[tuple[bytes | int | Container, ...], list[Flow]]:
    """The pieces of a JSON template (known to be JSON) with its containers, and where each slot's value goes.

    numbers: the slots' places in the template. Raises TransformError when it is nested deeper than 100 levels.
    """
    root = _Open("", "")
    stack, flows, in_string = [root], [], False
    for part in parts:
        top = stack[-1]
        if isinstance(part, Slot):
            number = numbers[part]
            top.pieces.append(number)
            if top.in_name:
                top.name = None
            if top.in_name or part.form is Form.JSON:
                top.needs.append(number)
            flows.append(Flow(part.path.text, top.place()))
            continue
        at = 0
        for mark in _MARK.finditer(part):
            character = mark.group()
            if character == '"':
                in_string = not in_string
            elif not in_string:
                _literal(stack[-1], part[at : mark.start()])
                at = mark.end()
                _bracket(stack, character)
        _literal(stack[-1], part[at:])
    return tuple(root.pieces), flows


def _literal(top: _Open, text: str) -> None:
    if not text:
        return
    if top.in_name and top.name is not None:
        top.name += text
    raw = text.encode()
    if top.pieces and isinstance(top.pieces[-1], bytes):
        top.pieces[-1] += raw
    else:
        top.pieces.append(raw)


def _bracket(stack: list[_Open], character: str) -> None:
    top = stack[-1]
    if character in "{[":
        if len(stack) > MAX_DEPTH:
            raise TransformError(f"the template is nested too deep: at most {MAX_DEPTH} levels")
        opened = _Open(character, top.place())
        opened.begin()
        stack.append(opened)
    elif character in "}]":
        top.end()
        stack.pop()
        stack[-1].pieces.append(Container(top.opening.encode(), tuple(top.members), character.encode()))
    elif character == ",":
        top.end()
    else:
        top.pieces.append(b":")
        top.in_name = False
        top.name = None if top.name is None else json.loads(top.name)
