"""Paths of event data, and which of them are sensitive.

A path is a tuple of member names from the root of data; "[]" stands for the entries of an array and "{}" for the
entries of a map, as in catalog.schemas.fields.
"""

from __future__ import annotations

from collections.abc import Iterable

ENTRY = "[]"
MAP_ENTRY = "{}"
Path = tuple[str, ...]
# What is still to come of each sensitive path; an empty path means: here.
Marks = frozenset[Path]
_ANY = ("*", ENTRY, MAP_ENTRY)
NOTHING: Marks = frozenset()


def marks_of(pointers: Iterable[str]) -> Marks:
    """JSON pointers (RFC 6901) of sensitive values. "[]", "{}" and "*" stand for any entry, and so does an index.

    Raises ValueError for a pointer that does not begin with "/".
    """
    found = set()
    for pointer in pointers:
        if pointer and not pointer.startswith("/"):
            raise ValueError(
                f"{pointer!r} is no JSON pointer: it must begin with “/”, as /customer/email does."
            )
        found.add(tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]))
    return frozenset(found)


def sensitive_pointer(path: str) -> str:
    """A path as event types have it, `lines[].name`, as the pointer /lines/[]/name; a pointer stays one."""
    if not path or path.startswith("/"):
        return path
    parts = path.replace("[]", ".[]").split(".")
    return pointer_of_path(tuple(part for part in parts if part))


def sensitive_path(path: Path) -> str:
    """The other way: lines[].name; a pointer where a name holds what separates names, and within maps."""
    if any(part == MAP_ENTRY or set(part) & set("./") for part in path):
        return pointer_of_path(path)
    return "".join(ENTRY if part == ENTRY else f".{part}" for part in path).removeprefix(".")


def at_member(marks: Marks, name: str) -> Marks:
    """The marks below member `name`."""
    return frozenset(path[1:] for path in marks if path and (path[0] == name or path[0] in _ANY))


def at_rest(marks: Marks) -> Marks:
    """The marks below a member whose name is no longer known: any of them may be meant."""
    return frozenset(path[1:] for path in marks if path)


def at_entry(marks: Marks) -> Marks:
    """The marks below the entries of an array."""
    return frozenset(path[1:] for path in marks if path and (path[0] in _ANY or path[0].isdigit()))


def pointer_of_path(path: Path) -> str:
    """The path as a pointer, with "[]" and "{}" for entries."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
