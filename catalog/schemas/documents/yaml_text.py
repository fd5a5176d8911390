"""YAML as JSON has it (YAML 1.2 §10.3): dates stay text, yes and no stay text, no name stands twice.

One pass over the parser's events, so that nothing is built which is then found to be too large.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isinf
from typing import Any

import yaml

from catalog.schemas.limits import LEVELS, NODES
from catalog.schemas.text import DIGITS, Mistake, NotJson, pointer_of

ALIASES = 100
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"null": None, "~": None, "": None, "true": True, "false": False}


@dataclass
class _Open:
    """A mapping or sequence that is being read. `name`: the member whose value comes next."""

    value: Any
    pointer: str
    anchor: str | None
    began: int
    name: str | None = None
    deepest: int = 1


@dataclass
class _Reader:
    text: str
    lines: dict[str, int] = field(default_factory=dict)
    anchors: dict[str, tuple[Any, int, int]] = field(default_factory=dict)
    open: list[_Open] = field(default_factory=list)
    nodes: int = 0
    aliases: int = 0
    whole: Any = None
    documents: int = 0

    def read(self) -> Any:
        for event in yaml.parse(self.text, Loader=yaml.CSafeLoader):
            self.take(event)
        return self.whole

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _no(
                    event, "The text holds several YAML documents. Paste one; remove what follows “---”."
                )
        elif isinstance(event, yaml.AliasEvent):
            self.alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self.scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self.begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.end()

    def begin(self, event: yaml.CollectionStartEvent) -> None:
        self.check_tag(event)
        pointer = self.place(event)
        self.count(event, 1)
        if len(self.open) >= LEVELS:
            raise _no(event, f"Too deeply nested. At most {LEVELS} levels are allowed.")
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.open.append(_Open(value, pointer, event.anchor, self.nodes))

    def end(self) -> None:
        done = self.open.pop()
        if done.anchor is not None:
            self.anchors[done.anchor] = (done.value, self.nodes - done.began + 1, done.deepest)
        if self.open:
            self.open[-1].deepest = max(self.open[-1].deepest, done.deepest + 1)
        self.put(done.value)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        self.check_tag(event)
        if self.open and isinstance(self.open[-1].value, dict) and self.open[-1].name is None:
            self.member(event)
            return
        self.place(event)
        self.count(event, 1)
        value = _plain(event) if event.implicit[0] else event.value
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, 1, 0)
        self.put(value)

    def member(self, event: yaml.ScalarEvent) -> None:
        mapping = self.open[-1]
        name = event.value
        if name == "<<" and event.implicit[0]:
            raise _no(event, "YAML merge keys (<<) are not read. Write the members out, or use $ref.")
        if event.anchor is not None:
            raise _no(event, "An anchor (&) on a name is not read. Remove it.")
        if name in mapping.value:
            raise _no(event, f"“{name}” is written twice in the same object. Keep one of them.")
        mapping.name = name
        self.lines.setdefault(mapping.pointer + pointer_of([name]), _line(event))

    def alias(self, event: yaml.AliasEvent) -> None:
        self.place(event)
        known = self.anchors.get(str(event.anchor))
        if known is None:
            within = any(one.anchor == event.anchor for one in self.open)
            why = "stands inside what it repeats" if within else "repeats nothing that was written before it"
            raise _no(event, f"The alias *{event.anchor} {why}.")
        self.aliases += 1
        if self.aliases > ALIASES:
            raise _no(event, f"The text uses more than {ALIASES} YAML aliases (*). Use $ref instead.")
        value, nodes, levels = known
        self.count(event, nodes)
        if len(self.open) + levels > LEVELS:
            raise _no(event, f"Too deeply nested. At most {LEVELS} levels are allowed.")
        if self.open:
            self.open[-1].deepest = max(self.open[-1].deepest, levels + 1)
        self.put(value)

    def place(self, event: yaml.Event) -> str:
        """The pointer of the value that begins; notes its line."""
        if not self.open:
            pointer = ""
        else:
            outer = self.open[-1]
            if isinstance(outer.value, dict):
                if outer.name is None:
                    raise _no(event, "A name must be plain text, not an object, a list or an alias.")
                pointer = outer.pointer + pointer_of([outer.name])
            else:
                pointer = f"{outer.pointer}/{len(outer.value)}"
        self.lines.setdefault(pointer, _line(event))
        return pointer

    def put(self, value: Any) -> None:
        if not self.open:
            self.whole = value
            return
        outer = self.open[-1]
        if isinstance(outer.value, dict):
            assert outer.name is not None
            outer.value[outer.name], outer.name = value, None
        else:
            outer.value.append(value)

    def count(self, event: yaml.Event, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > NODES:
            raise _no(event, f"The text has more than {NODES:,} values. Leave out what is not needed.")

    def check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None and event.tag != "!":
            raise _no(event, f"The YAML tag {event.tag[:40]} is not read. Leave it out.")


def read_yaml(text: str) -> tuple[Any, dict[str, int]]:
    """The value of YAML `text`, and at which line (from 1) the value at each pointer begins. Raises NotJson."""
    reader = _Reader(text)
    try:
        return reader.read(), reader.lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "something is wrong"
        message = f"This is neither JSON nor YAML: {problem}."
        raise NotJson(
            Mistake(message, None, mark.line + 1 if mark else None, mark.column + 1 if mark else None)
        ) from None
    except yaml.YAMLError as error:
        raise NotJson(Mistake(f"This is neither JSON nor YAML: {str(error).splitlines()[0]}.")) from None


def _plain(event: yaml.ScalarEvent) -> Any:
    word: str = event.value
    if word in _WORDS:
        return _WORDS[word]
    if _WHOLE.fullmatch(word):
        if len(word) > DIGITS:
            raise _no(
                event,
                f"This number has too many digits, {len(word):,} of at most {DIGITS:,}. Write it as a text, or with an exponent.",
            )
        return int(word)
    if _NUMBER.fullmatch(word):
        if isinf(value := float(word)):
            raise _no(event, f"{word[:40]} is larger than any number a computer holds.")
        return value
    return word


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _no(event: yaml.Event, message: str) -> NotJson:
    column = event.start_mark.column + 1 if event.start_mark else 1
    return NotJson(Mistake(message, None, _line(event), column))
