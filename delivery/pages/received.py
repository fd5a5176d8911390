"""What request bins received: of which event, and who may see it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from catalog.personal import hidden_from
from delivery.models import BinRequest
from delivery.tracking.events import headlines_of


def shown_headers(request: BinRequest) -> list[tuple[str, str]]:
    """Header names and values as a bin stored them."""
    return [
        (str(pair[0]), str(pair[1]))
        for pair in request.headers
        if isinstance(pair, list | tuple) and len(pair) == 2
    ]


def types_of_requests(requests: Sequence[BinRequest]) -> dict[int, str]:
    """Per request of a bin (its id) the type of the event that it delivered, as far as it can be told.

    By the delivery's id, whatever was made of the event; else, once the log does not hold it any more, by the header
    ce-type or the body's own member.
    """
    headers = {
        one.pk: {str(name).lower(): str(text) for name, text in shown_headers(one)} for one in requests
    }
    seqs = {pk: _seq_of(found.get("webhook-id", "")) for pk, found in headers.items()}
    known = {line.seq: line.type for line in headlines_of([seq for seq in seqs.values() if seq])}
    return {
        one.pk: known.get(seqs[one.pk]) or headers[one.pk].get("ce-type") or _type_in(one.body)
        for one in requests
    }


def hidden_requests(user: Any, requests: Sequence[BinRequest]) -> set[int]:
    """The ids of those of `requests` whose bodies `user` may not see, for the personal data of the event."""
    types = types_of_requests(requests)
    hidden = hidden_from(user, {name for name in types.values() if name})
    return {pk for pk, name in types.items() if name in hidden}


def _seq_of(delivery: str) -> int:
    """The event of a delivery's id, msg_TARGET_SEQ in hexadecimal (delivery.pages.outgoing); 0 for another id."""
    found = re.fullmatch(r"msg_[0-9a-f]{1,16}_([0-9a-f]{1,15})", delivery)
    return int(found[1], 16) if found else 0


def _type_in(body: str) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    name = found.get("type") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""
