"""What a target's answers mean, as its owner changes it: a small map from a status or a class of them. Pure.

Without an entry: 2xx is delivered; 408, 425, 429, 5xx and no answer are tried again; 410 disables the target; 401, 403
and 404 stop it; every other answer rejects the event. Where the address depends on the event, 404 and 410 reject it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

RETRY, REJECT, STOP = "retry", "reject", "stop"
MEANINGS = (RETRY, REJECT, STOP)
NO_ANSWER = "none"
"""No answer came: the network, TLS, or no answer in time."""

_KEY = re.compile(r"[345][0-9]{2}|[345]xx|none")
MOST = 50


def problem_of(classes: object) -> str:
    """What is wrong with such a map, for people; "" when nothing is."""
    if not isinstance(classes, Mapping):
        return 'Write a map, for example {"404": "retry"}.'
    if len(classes) > MOST:
        return f"At most {MOST} entries."
    for key, meaning in classes.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            return f"{key}: name a status from 300 to 599, a class (3xx, 4xx, 5xx), or none for no answer."
        if meaning not in MEANINGS:
            return f"{key}: say retry, reject or stop."
    return ""


def meaning_of(classes: Mapping[str, str], status: int | None) -> str | None:
    """What the map says of an answer that is no success: the status before its class; None when it says nothing."""
    if status is None:
        return classes.get(NO_ANSWER)
    return classes.get(str(status)) or classes.get(f"{status // 100}xx")


def as_text(classes: Mapping[str, str]) -> str:
    """An entry a line, as a form shows it: "404: retry"."""
    return "\n".join(f"{key}: {meaning}" for key, meaning in sorted(classes.items()))


def from_text(text: str) -> dict[str, str]:
    """What was written into a form. Raises ValueError with a sentence that names the line."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        key, colon, meaning = (part.strip().lower() for part in line.partition(":"))
        if not colon:
            raise ValueError(f"Line {number}: write a status, a colon and what it means, as in 404: retry.")
        if key in found:
            raise ValueError(f"Line {number}: {key} is there twice.")
        if problem := problem_of({key: meaning}):
            raise ValueError(f"Line {number}: {problem}")
        found[key] = meaning
    if problem := problem_of(found):
        raise ValueError(problem)
    return found
