"""Reasons without what differs from event to event, so that a thousand dead letters of one fault are one group. Pure."""

from __future__ import annotations

import hashlib
import re

from delivery.tracking.words import EXPIRED

# Longest first: a URL holds numbers, a UUID holds hexadecimal digits.
_VARIES = re.compile(
    r"""(?P<url>\bhttps?://[^\s"'<>]+)
    |(?P<quoted>"[^"\n]{0,200}"|'[^'\n]{0,200}'|“[^”\n]{0,200}”)
    |(?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)
    |(?P<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)
    |(?P<word>\b(?=[\w-]*\d)[\w-]{12,}\b)
    |(?P<number>\b\d[\d.,:]*\b)""",
    re.VERBOSE,
)
_HOST = re.compile(r"https?://(?:[^\s/?#@]*@)?([^\s/?#]+)")
LONGEST = 300  # characters
_ANSWERS = re.compile(r"It answers \d{3}")
# Begin reasons that hold nothing of an event or an answer.
_OWN = (EXPIRED, "It cannot start: ", "Paused by ", "The worker died ")


def cause_of(reason: str, status: int | None = None) -> str:
    """`reason` with identifiers, numbers, times, quoted values and paths of URLs as "…"; `status` stays as it is.

    "Order 4711 is unknown" and "Order 4712 is unknown" have one cause; "It answers 422." and "It answers 500." do not
    when these are their statuses.
    """
    kept = str(status) if status is not None else None

    def plain(found: re.Match[str]) -> str:
        text = found.group()
        if found.lastgroup == "url":
            host = _HOST.match(text)
            return f"{text.partition('://')[0]}://{host.group(1) if host else ''}/…"
        if found.lastgroup == "number" and text.rstrip(".,:") == kept:
            return text
        return "…" + (text[-1] if text[-1] in ".,:" else "")

    return _VARIES.sub(plain, reason[: 4 * LONGEST])[:LONGEST]


def unquoted(reason: str) -> str:
    """What a reason says in Signalbox's own words, without what a target answered or an error quotes; "" for nothing."""
    if reason.startswith(_OWN):
        return reason
    found = _ANSWERS.match(reason)
    return f"{found.group()}." if found is not None else ""


def cause_id(cause: str) -> str:
    """A short name of a cause, for URLs."""
    return hashlib.blake2b(cause.encode(), digest_size=6).hexdigest()
