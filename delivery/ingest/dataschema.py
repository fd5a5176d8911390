"""Which schema version an event names: the CloudEvents attribute `dataschema` (1.0 §3.2), read as one of our addresses.

Our addresses end in /schemas/<type>/<number>, on whatever host this installation is reached by: events keep the address
they were sent with, so scheme, host and what comes before are not compared.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

BEFORE = "/schemas/"


class Named(NamedTuple):
    """What an address may name: the number, and each type that it can be read as, the longest first."""

    types: tuple[str, ...]
    number: int


# The addresses of a publisher are few and come again and again.
@lru_cache(maxsize=4096)
def named(dataschema: str) -> Named | None:
    """The version that `dataschema` names, None when it is no address of ours.

    A type's name may hold slashes, so an address may be read in more than one way; whoever knows the types chooses.
    """
    path = dataschema.partition("#")[0].partition("?")[0].removesuffix("/")
    head, slash, last = path.rpartition("/")
    # Row ids and numbers are far below this length; a longer one is another's.
    if not slash or not last.isascii() or not last.isdigit() or len(last) > 9:
        return None
    types = []
    at = head.find(BEFORE)
    while at >= 0:
        if name := head[at + len(BEFORE) :]:
            types.append(unquote(name))
        at = head.find(BEFORE, at + 1)
    return Named(tuple(types), int(last)) if types else None


def addressed(name: str, number: int) -> str:
    """The path of a version's stable address."""
    return f"{BEFORE}{quote(name, safe='')}/{number}"
