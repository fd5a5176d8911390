"""Error answers as problem documents (RFC 9457): what is wrong, where, and what to do."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from catalog import problems
from delivery.cloudevents import Refused
from delivery.ingest.judging import NotTaken
from delivery.ingest.pipeline import Denied
from delivery.log.writer import Unavailable

logger = logging.getLogger(__name__)

CONTENT_TYPE = problems.CONTENT_TYPE.encode()

# Per kind of trouble a word for the URN of the problem type, and its title. Not HTTPStatus.phrase, which differs
# between versions of Python: a title stays the same (RFC 9457 §3.1.3).
KINDS = {
    400: ("malformed", "Not a valid event"),
    401: ("unauthenticated", "No valid token"),
    403: ("forbidden", "Not allowed with this token"),
    404: ("not-found", "Not found"),
    405: ("method", "Method not allowed"),
    410: ("retired-bus", "The bus is retired"),
    413: ("too-large", "Too large"),
    415: ("content-type", "Content type not known"),
    422: ("schema", "Does not fit the schema"),
    429: ("too-many", "Too many events"),
    503: ("unavailable", "Not available now"),
}
# Further kinds of 422: the data is not at fault.
FURTHER = {
    "unregistered": "The type is not registered",
    "retired-type": "The type is retired",
}


class Problem(Exception):
    """An error answer. `kind`: one of FURTHER. `extra`: more members, such as the index and attribute at fault."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        kind: str = "",
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or []
        self.kind = kind
        self.extra = {name: value for name, value in extra.items() if value is not None}

    def body(self) -> bytes:
        """The problem document as JSON."""
        kind, title = (self.kind, FURTHER[self.kind]) if self.kind in FURTHER else KINDS[self.status]
        return msgspec.json.encode(problems.document(self.status, kind, title, self.detail, **self.extra))


def retry_later(status: int, detail: str, seconds: int) -> Problem:
    """429 or 503 with Retry-After in seconds."""
    return Problem(status, detail, [(b"retry-after", str(seconds).encode())])


def problem_of(error: Exception) -> Problem:
    """The problem document that tells a publisher about `error`."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refused):
        kind = error.fault.kind if isinstance(error, NotTaken) else ""
        return Problem(error.status, error.reason, kind=kind, index=error.index, attribute=error.attribute)
    if isinstance(error, Denied):
        challenge = [(b"www-authenticate", b'Bearer realm="signalbox"')] if error.status == 401 else []
        return Problem(error.status, error.reason, challenge)
    if isinstance(error, Unavailable):
        return retry_later(503, f"{error.reason} Send it again; a repeat is stored once.", error.retry_after)
    logger.error("Ingest failed.", exc_info=error)
    return retry_later(503, "Something went wrong here. Send it again; a repeat is stored once.", 1)
