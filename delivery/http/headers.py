"""Which header fields a caller may add to a request (RFC 9110 §5)."""

from __future__ import annotations

import re
from collections.abc import Iterable

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(r"[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?|")

OURS = frozenset({"host", "content-length", "transfer-encoding", "trailer", "expect"})
"""Set by the client from the URL and the body; a second one would let two readers see two messages."""

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "upgrade", "proxy-authorization"}
)
"""Fields about the connection, not about the request (RFC 9110 §7.6.1)."""


class InvalidHeader(ValueError):
    """A header field that must not or cannot be sent. The text is a sentence that names the field."""


def check_header(name: str, value: str) -> None:
    """Raises InvalidHeader when the field would break the framing, or cannot be written in ASCII."""
    if not TOKEN.fullmatch(name):
        raise InvalidHeader(f"{name!r} is not a header name: use letters, digits and hyphens.")
    lower = name.lower()
    if lower in OURS:
        raise InvalidHeader(f"The header {name} is set by Signalbox itself; remove it.")
    if lower in HOP_BY_HOP:
        raise InvalidHeader(f"The header {name} concerns one connection and cannot be set here; remove it.")
    if not VALUE.fullmatch(value):
        raise InvalidHeader(
            f"The value of the header {name} may hold visible ASCII characters with spaces between them;"
            " it has a line break, another control character, a non-ASCII character or a space at an end."
        )


def header_block(headers: Iterable[tuple[str, str]]) -> bytes:
    """The fields as they go over the wire, every line ended by CRLF. Raises InvalidHeader."""
    lines = []
    for name, value in headers:
        check_header(name, value)
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("ascii")
