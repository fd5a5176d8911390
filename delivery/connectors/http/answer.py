"""What a target's answer, or the lack of one, means for the event (RFC 9110 §15, CloudEvents webhook specification)."""

from __future__ import annotations

import json
import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from delivery.connectors.spi import (
    EXCERPT_BYTES,
    Delivered,
    Gone,
    Misconfigured,
    Outcome,
    Reject,
    Retry,
    printable,
)
from delivery.http import DeliveryError, Response

RETRY_AFTER_CEILING = 24 * 3600.0
"""Seconds. Nobody may make us hold an event for longer with one answer."""

TRY_AGAIN = frozenset({408, 425, 429})
STOP = {
    401: "it wants other credentials",
    403: "it forbids this request",
    404: "there is nothing at this URL",
}
QUOTED_CHARACTERS = 200

# What documents about errors call an error's words and what it is about, the usual first: problem documents (RFC 9457),
# JSON:API, and what frameworks make.
_WORDS = ("detail", "message", "msg", "description", "reason", "title")
_ABOUT = ("field", "path", "param", "pointer", "property", "loc", "name")
_ERRORS = ("errors", "error", "violations")

_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?")


def outcome_of(response: Response, now: float) -> Outcome:
    """`now`: Unix seconds when the request was sent, for a Retry-After that is a date."""
    status = response.status
    excerpt = response.body[:EXCERPT_BYTES]
    timings, address = response.timings, response.address
    if 200 <= status < 300:
        detail = f"It answers {status}."
        if response.truncated:
            detail = f"It answers {status}; its answer was too long or broke off, the rest was not read."
        return Delivered(status, detail, excerpt=excerpt, timings=timings, address=address)
    if status in TRY_AGAIN or status >= 500:
        after = retry_after(response.headers.get("retry-after"), now)
        asks = "" if after is None else f" It asks to wait {_duration(after)}."
        if after is not None and after > RETRY_AFTER_CEILING:
            after = RETRY_AFTER_CEILING
            asks += " Signalbox waits for 24 hours at most."
        return Retry(
            _answers(response) + asks, status, after, excerpt=excerpt, timings=timings, address=address
        )
    if status == 410:
        reason = _answers(response, "it is gone for good")
        return Gone(reason, status, excerpt=excerpt, timings=timings, address=address)
    if status in STOP:
        reason = _answers(response, STOP[status])
        return Misconfigured(reason, status, excerpt=excerpt, timings=timings, address=address)
    if status < 400:
        reason = _redirect(response)
    else:
        reason = _answers(response)
    return Reject(reason, status, excerpt=excerpt, timings=timings, address=address)


def outcome_of_error(error: DeliveryError) -> Outcome:
    """A forbidden address, and a proxy that refuses, are for people to mend; all else may be over at the next attempt."""
    if error.kind == "blocked" or (error.kind == "proxy" and error.status in (403, 407)):
        return Misconfigured(error.sentence, error.status, timings=error.timings, address=error.address)
    return Retry(error.sentence, error.status, timings=error.timings, address=error.address)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds from now that a Retry-After field asks for (RFC 9110 §10.2.3); None if absent or not understood."""
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value[:20])
    try:
        date = parsedate_to_datetime(value)
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        return max(0.0, date.timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _answers(response: Response, meaning: str = "") -> str:
    """ "It answers 422: <what it said>" in one line."""
    quoted = said(response)
    parts = [f"It answers {response.status}"]
    if meaning:
        parts.append(meaning)
    if quoted:
        parts.append(quoted)
    sentence = ": ".join(parts)
    return sentence if quoted.endswith(("…", ".", "!", "?")) else f"{sentence}."


def said(response: Response) -> str:
    """The beginning of its body as one line of text; of a JSON document about errors, their words; how long it is when
    it is not text."""
    body = response.body
    if not body:
        return ""
    words = "" if response.truncated else error_words(body)
    text = " ".join(printable(words.encode("utf-8", "replace") or body[: 4 * QUOTED_CHARACTERS]).split())
    if text.count("\ufffd") * 10 > len(text):
        return f"{len(body)} bytes that are not text"
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS]}…"


def error_words(body: bytes) -> str:
    """What a JSON document says went wrong, such as "invoice_ref: longer than 20 characters"; "" where it is none."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return ""
    try:
        return "; ".join(_errors(json.loads(body)))
    except (ValueError, RecursionError):
        return ""


def _errors(document: object) -> list[str]:
    """The sentences of a part of such a document. Empty when it is not understood whole."""
    if isinstance(document, str):
        return [document] if document.strip() else []
    if isinstance(document, list):
        found = [_errors(one) for one in document]
        return [sentence for one in found for sentence in one] if all(found) else []
    if not isinstance(document, dict):
        return []
    for name in _ERRORS:
        if inner := _errors(document.get(name)):
            return inner
    words = next((document[name] for name in _WORDS if _is_text(document.get(name))), "")
    about = next((document[name] for name in _ABOUT if _is_text(document.get(name))), "")
    if not words:
        return []
    return [f"{about}: {words}" if about else words]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _redirect(response: Response) -> str:
    location = response.headers.get("location")
    if location is None:
        return f"It answers {response.status}, which is no answer to a delivery."
    shown = printable(location.encode("latin-1", "replace"))[:QUOTED_CHARACTERS]
    return (
        f"It answers {response.status} and points to {shown}. Redirects are not followed;"
        " if the target has moved, change its URL."
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} minutes"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} hours"
    return f"{seconds / 86400:.0f} days"
