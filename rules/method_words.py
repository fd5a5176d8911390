"""What the methods of conditions are called."""

from __future__ import annotations

from django.utils.translation import gettext as _

from rules.conditions import METHODS, RARE


def word(method: str) -> str:
    """A method in words, as they stand between field and values; the method itself when it is none."""
    words = {
        "is": _("is one of"),
        "not": _("is not"),
        "prefix": _("starts with"),
        "not-prefix": _("does not start with"),
        "suffix": _("ends with"),
        "not-suffix": _("does not end with"),
        "contains": _("contains"),
        "not-contains": _("does not contain"),
        "ignore-case": _("equals ignoring case"),
        "not-ignore-case": _("is not, ignoring case"),
        "wildcard": _("matches wildcard"),
        "not-wildcard": _("does not match wildcard"),
        "number": _("number"),
        "ip": _("ip in network"),
        "not-ip": _("ip not in network"),
        "exactly": _("is exactly the text"),
        "present": _("is present"),
        "absent": _("is absent"),
        "null": _("is null"),
    }
    return words.get(method, method)


def example(method: str) -> str:
    """What a person may write as values of a method, in their field while it is empty."""
    examples = {
        "is": "SEK, NOK",
        "not": "SEK, NOK",
        "number": "≥ 500",
        "ip": "10.0.0.0/8",
        "not-ip": "10.0.0.0/8",
        "wildcard": "shop-*-eu",
        "not-wildcard": "shop-*-eu",
        "suffix": "@example.com",
        "not-suffix": "@example.com",
    }
    return examples.get(method, "")


def choices(chosen: str) -> list[tuple[str, str]]:
    """Methods and their words to choose from; a rare one only when it is the chosen one."""
    return [(name, word(name)) for name in (*METHODS, *(name for name in RARE if name == chosen))]
