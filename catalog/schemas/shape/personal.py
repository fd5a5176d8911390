"""Which paths of a shape look as if they held personal data, by their names and by the formats of their values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from catalog.schemas.shape.accumulator import Shape
from catalog.schemas.shape.maps import read
from catalog.schemas.shape.node import Node
from catalog.schemas.shape.paths import ENTRY, MAP_ENTRY, Path, pointer_of_path

# Words of names. A name that holds one of them is personal whatever is around it.
_WORDS = frozenset(
    {
        "email", "mail", "phone", "telephone", "mobile", "fax", "msisdn", "address", "addresses", "addr",
        "street", "postcode", "zip", "zipcode", "ip", "birth", "birthday", "birthdate", "dob", "birthplace",
        "gender", "sex", "religion", "nationality", "ssn", "passport", "iban", "password", "passwd", "secret",
        "firstname", "lastname", "surname", "fullname", "nickname", "maiden", "forename", "username", "salary",
        "diagnosis",
    }
)  # fmt: skip
# Two words in a row that say it together.
_PAIRS = frozenset(
    {
        ("e", "mail"), ("postal", "code"), ("post", "code"), ("zip", "code"), ("tax", "id"), ("national", "id"),
        ("social", "security"), ("credit", "card"), ("card", "number"), ("account", "holder"), ("access", "token"),
        ("api", "key"), ("user", "agent"), ("remote", "addr"), ("license", "plate"),
    }
)  # fmt: skip
# Whose name a "name" may be.
_PERSONS = frozenset(
    {
        "first", "last", "full", "given", "family", "middle", "sur", "nick", "display", "real", "legal", "user",
        "customer", "client", "buyer", "person", "people", "contact", "recipient", "holder", "owner",
        "employee", "member", "passenger", "patient", "guest", "author", "sender", "driver", "student",
        "account", "shipping", "billing", "delivery", "payer", "payee", "cardholder", "invitee", "attendee",
        "traveller", "visitor", "caller",
    }
)  # fmt: skip
# Of these a "name" is no person's.
_THINGS = frozenset(
    {
        "product", "products", "item", "items", "line", "lines", "event", "file", "plan", "tag", "tags",
        "label", "labels", "country", "currency", "company", "store", "shop", "category", "metric", "sensor",
        "field", "table", "column", "host", "domain", "service", "queue", "topic", "job", "step", "branch",
        "repository", "repo", "project", "app", "application", "device", "model", "brand", "unit", "region",
        "channel", "campaign", "status", "state", "type", "kind", "rule", "target", "source", "bus", "city",
        "town", "district", "zone", "warehouse", "carrier", "page", "color", "colour", "environment", "env",
        "version", "feature", "task", "group", "role",
    }
)  # fmt: skip
# Places of machines, not of people.
_MACHINE = frozenset({("mac", "address"), ("memory", "address"), ("contract", "address")})
# What is said about such data, not the data: email_verified_at, phone_type.
_ABOUT = frozenset(
    {
        "count", "total", "sent", "verified", "valid", "type", "kind", "status", "state", "at", "on", "id",
        "ids", "hash", "length", "size", "enabled",
    }
)  # fmt: skip
# Values of these formats reach or name a person.
_FORMATS = {"email": "e-mail addresses", "ipv4": "IP addresses", "ipv6": "IP addresses"}
# That many of a hundred strings in such a format make a field personal.
_PERCENT = 5


@dataclass(frozen=True)
class Suspect:
    """A path that looks personal, and why: `its name`, or what its values look like. At and below it only counts."""

    path: Path
    why: str

    @property
    def pointer(self) -> str:
        """As a sensitive path of Shape and a pointer of notes: "[]" and "{}" stand for entries."""
        return pointer_of_path(self.path)


def suspects(shape: Shape) -> tuple[Suspect, ...]:
    """The paths of `shape` that look personal, none of them below another. A guess: people decide.

    Only texts and numbers, and objects that are an address, are held personal: `email_sent: true` tells of nobody.
    Names that a map made are never given: the map itself is.
    """
    return tuple(dict.fromkeys(_suspects(shape.root, ())))


def guarded(shape: Shape) -> tuple[Shape, tuple[Suspect, ...]]:
    """A copy of `shape` that holds nothing but counts where it looks personal, and which paths these are."""
    found = suspects(shape)
    copy = Shape([*shape.sensitive, *(one.pointer for one in found)])
    copy.merge(shape)
    return copy, found


def looks_personal(path: Path) -> bool:
    """Whether the name at the end of `path` is one that personal data has."""
    names = [part for part in path if part not in (ENTRY, MAP_ENTRY)]
    if not names:
        return False
    words = _words(names[-1])
    pairs = set(pairwise(words))
    if pairs & _MACHINE or (words[-1:] and words[-1] in _ABOUT and not pairs & _PAIRS):
        return False
    if (
        {*words, *(word.removesuffix("s") for word in words)} & _WORDS
        or pairs & _PAIRS
        or "".join(words) in _WORDS
    ):
        return True
    if words[-1:] not in (["name"], ["names"]):
        return False
    before = words[:-1] or (_words(names[-2]) if len(names) > 1 else [])
    if set(before) & _PERSONS:
        return True
    return not before or (len(words) == 1 and not set(before) & _THINGS)


def _suspects(node: Node, path: Path) -> Iterator[Suspect]:
    if path and path[-1] != MAP_ENTRY and (why := _why(node, path)):
        yield Suspect(path, why)
        return
    if node.objects is not None:
        reading = read(node.objects)
        for name, child in reading.fields.items():
            yield from _suspects(child, (*path, name))
        entries = reading.entries or node.objects.rest
        below = list(_suspects(entries, (*path, MAP_ENTRY))) if entries is not None else []
        if below and path:
            yield Suspect(path, "what is in it")
        else:
            yield from below  # Data itself is a map: there is no name to give.
    if node.arrays is not None and node.arrays.items is not None:
        yield from _suspects(node.arrays.items, (*path, ENTRY))


def _why(node: Node, path: Path) -> str:
    strings = node.strings
    if strings is not None:
        for form, words in _FORMATS.items():
            votes = strings.votes.get(form, 0)
            if votes and 100 * votes >= _PERCENT * strings.count:
                return words
    if path[-1] == ENTRY:
        return ""  # Its array has the name.
    tells = strings is not None or node.numbers is not None or (node.arrays is not None and _plain(node))
    if tells and looks_personal(path):
        return "its name"
    if node.objects is not None and set(_words(path[-1])) & {"address", "addresses", "addr"}:
        return "its name" if looks_personal(path) else ""
    return ""


def _plain(node: Node) -> bool:
    items = node.arrays.items if node.arrays is not None else None
    return items is not None and (items.strings is not None or items.numbers is not None)


def _words(name: str) -> list[str]:
    """`customerEMail2` and `customer_e-mail` are the words customer, e, mail."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+", name)]
