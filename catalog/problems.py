"""Problem documents (RFC 9457): the form of every error answer of ingest and of the API."""

from __future__ import annotations

from typing import Any

CONTENT_TYPE = "application/problem+json"


def document(status: int, kind: str, title: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The members of a problem document. `kind` is a word for its type, `title` the same for every problem of it.

    `extra`: further members (RFC 9457 §3.2); those that are None are left out.
    """
    return {
        "type": f"urn:signalbox:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        **{name: value for name, value in extra.items() if value is not None},
    }
