"""The first event of one's own: the one line that the terminal, the welcome page, README.md and the docs all show.

A fixed id, so that the line sent again is a repeat; a type that "Parcel watch" takes, so that it arrives somewhere.
"""

from __future__ import annotations

import json

ID = "my-first-event"
ATTRIBUTES = {
    "specversion": "1.0",
    "id": ID,
    "source": "/my/terminal",
    "type": "parcel.delivered",
    "subject": "my-parcel",
}
DATA = {
    "parcel_id": "parcel-1-1",
    "order_id": "my-order",
    "handed_to": "customer",
    "at": "2026-11-26T12:00:00Z",
}


def curl(base: str, bus: str, token: str | None) -> str:
    """A command of several lines for a POSIX shell that publishes it to `bus` of the web process at `base`.

    Without `token` it shows none, which only a bus takes that is open for publishing.
    """
    attributes, data = json.dumps(ATTRIBUTES)[:-1], json.dumps(DATA)
    lines = [
        f"curl -i {base}/v1/buses/{bus}/events",
        *([f"-H 'Authorization: Bearer {token}'"] if token else []),
        "-H 'content-type: application/cloudevents+json'",
        f"-d '{attributes},\n       \"data\": {data}}}'",
    ]
    return " \\\n  ".join(lines)


def journey(base: str) -> str:
    """The address that leads to its journey once it was sent."""
    return f"{base}/find/?q={ID}"
