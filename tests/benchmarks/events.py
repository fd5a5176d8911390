"""Events of about 1 KB, as requests ready to be sent."""

from __future__ import annotations

import json

NOTE = "x" * 640


def event(number: int | str, subject: int) -> dict[str, object]:
    """One event with a unique id."""
    return {
        "specversion": "1.0",
        "id": f"bench-{number}",
        "source": "/shop/checkout",
        "type": "shop.order.placed",
        "subject": f"order-{subject}",
        "time": "2026-11-23T08:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "order_id": f"order-{subject}",
            "total": {"amount": 1249.5, "currency": "SEK"},
            "customer": {"id": f"c-{subject}", "country": "SE"},
            "lines": [{"sku": "40017", "quantity": 1}, {"sku": "11820", "quantity": 2}],
            "note": NOTE,
        },
    }


def request(path: str, body: bytes, content_type: str, token: str = "") -> bytes:
    """A whole HTTP/1.1 request."""
    authorization = f"authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {content_type}\r\n"
        f"{authorization}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def singles(path: str, prefix: str, first: int, count: int, token: str = "") -> list[bytes]:
    """Requests with one structured event each."""
    kind = "application/cloudevents+json"
    return [
        request(path, json.dumps(event(f"{prefix}-{n}", n % 1000)).encode(), kind, token)
        for n in range(first, first + count)
    ]


def batches(path: str, prefix: str, count: int, size: int, token: str = "") -> list[bytes]:
    """Requests with `size` events each."""
    kind = "application/cloudevents-batch+json"
    return [
        request(
            path,
            json.dumps([event(f"{prefix}-{n}-{m}", (n * size + m) % 1000) for m in range(size)]).encode(),
            kind,
            token,
        )
        for n in range(count)
    ]
