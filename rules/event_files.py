"""Events in a file: one per line (JSONL), a JSON array of them, or documents over several lines one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from catalog.json_place import broken
from rules.engine import Event, read_event

BOM = b"\xef\xbb\xbf"
_DECODER = json.JSONDecoder()


class Line(NamedTuple):
    """One event of the file and the line it begins at; `event` is None when `problem` says why it is none.

    `problem` begins with the column where the text stops being JSON, else with a space.
    """

    number: int
    event: Event | None
    problem: str = ""


def events_in(file: BinaryIO) -> Iterator[Line]:
    """The events of a file, one after the other, however many lines it has; empty lines are none.

    A file that begins with an array, or with a line that is no whole document, is read as a whole.
    """
    before = 0
    for first in file:
        text = first.removeprefix(BOM)
        if not text.strip():
            before += 1
        elif text.lstrip()[:1] == b"[" or broken(text) is not None:
            yield from _whole(text + file.read(), before)
            return
        else:
            yield _event(before + 1, text)
            yield from _by_line(file, before + 1)
            return


def _by_line(texts: Iterable[bytes], before: int) -> Iterator[Line]:
    for number, text in enumerate(texts, before + 1):
        if text.strip():
            yield _event(number, text)


def _event(number: int, text: bytes) -> Line:
    text = text.strip()
    try:
        return Line(number, read_event(text))
    except ValueError as error:
        stops = broken(text)
        return Line(number, None, f" {error}" if stops is None else f"{stops.column}: {stops.why}")


def _whole(raw: bytes, before: int) -> Iterable[Line]:
    """What a file holds that is not one event per line; where it is neither, one problem with its place."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        found = [(text.count("\n", 0, at), text[at:end]) for at, end in _documents(text)]
    except json.JSONDecodeError as error:
        lines = raw.splitlines()
        if any(_is_event(line) for line in lines[1:]):
            return _by_line(lines, before)
        why = _("%(why)s. Write one event per line (JSONL), or an array of events.") % {"why": error.msg}
        return [Line(before + error.lineno, None, f"{error.colno}: {why}")]
    except RecursionError:
        return [Line(before + 1, None, " " + _("It is nested too deeply."))]
    return [
        _event(before + line + 1, document.encode("utf-8", "surrogateescape")) for line, document in found
    ]


def _is_event(line: bytes) -> bool:
    try:
        return "type" in read_event(line).attributes
    except ValueError:
        return False


def _documents(text: str) -> Iterator[tuple[int, int]]:
    """Where each document begins and ends; of an array those of its entries. Raises JSONDecodeError, RecursionError."""
    at = _after_space(text, 0)
    while at < len(text):
        _value, end = _DECODER.raw_decode(text, at)
        if text[at] == "[":
            yield from _entries(text, at)
        else:
            yield at, end
        at = _after_space(text, end)


def _entries(text: str, at: int) -> Iterator[tuple[int, int]]:
    """The places of the entries of an array that is known to be JSON and begins at `at`."""
    at = _after_space(text, at + 1)
    while text[at] != "]":
        _value, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
