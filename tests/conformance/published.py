"""Events that SDKs publish, and what became of them in a town's log."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.processes import Town

MOMENT = "2026-11-23T06:30:01.123Z"

# Attributes beside id, source, type and time; the data.
EVENTS: dict[str, tuple[dict[str, str], Any]] = {
    "no-data": ({}, None),
    "object": (
        {"datacontenttype": "application/json"},
        {"a": [1, 2.5, None, True, {"b": '灯 "x"'}], "big": 2**53 - 1},
    ),
    "array": ({"datacontenttype": "application/json"}, [{"a": 1}, []]),
    "suffixed-json": ({"datacontenttype": "application/vnd.example+json"}, {"a": {}}),
    "text": ({"datacontenttype": "text/plain"}, 'Grüße, 灯 "x"'),
    "xml": ({"datacontenttype": "text/xml"}, '<much wow="xml"/>'),
    "bytes": ({"datacontenttype": "application/octet-stream"}, b"\x00\xff\xfe{}"),
    "image": ({"datacontenttype": "image/png"}, b"\x89PNG\r\n\x1a\n"),
    "subject-beyond-ascii": (
        {"subject": '灯-7 "x" 100% 😀', "datacontenttype": "application/json"},
        {"a": 1},
    ),
    "extensions": (
        {"partitionkey": "k 1", "comexampleflag": "yes", "datacontenttype": "application/json"},
        {"a": 1},
    ),
    "all-attributes": (
        {
            "subject": "a/b c",
            "dataschema": "https://x.example/s.json?a=b#c",
            "datacontenttype": "application/json",
        },
        {"a": 1},
    ),
}
MAKE = """
from catalog.models import Bus, Team, Token
team = Team.objects.create(name="T", slug="t")
bus = Bus.objects.create(name="orders")
print(Token.issue(name="sdk", team=team, bus=bus)[1])
"""


@dataclass
class Publisher:
    """A running town, and a token for its bus `orders`."""

    town: Town
    token: str

    @property
    def path(self) -> str:
        return "/v1/buses/orders/events"

    @property
    def url(self) -> str:
        return self.town.url + self.path

    def post(self, headers: dict[str, str], body: bytes | str | None) -> tuple[int, Any]:
        """Posts what an SDK made, as it made it, with our token beside it; status and answer."""
        sent = body.encode() if isinstance(body, str) else body
        answer = self.town.request(
            "POST", self.path, sent, {**headers, "authorization": f"Bearer {self.token}"}
        )
        return answer.status, answer.json()

    def stored(self, source: str, event_id: str) -> dict[str, Any]:
        """The event in the log, its data decoded: an object, text or bytes."""
        [(raw,)] = self.town.query(
            "SELECT raw FROM log_event WHERE source = %s AND ce_id = %s", source, event_id
        )
        found = dict(json.loads(raw))
        if "data_base64" in found:
            found["data"] = b64decode(found.pop("data_base64"))
        return found


def started(town: Town) -> Publisher:
    """Makes a bus and a token in `town` and starts its web process."""
    token = town.manage("shell", "--no-imports", "-c", MAKE).strip()
    town.start("web")
    return Publisher(town, token)


def attributes_of(name: str, source: str) -> dict[str, str]:
    """All context attributes of the event called `name`, as the producer `source` sends it."""
    least = {
        "specversion": "1.0",
        "id": name,
        "source": source,
        "type": "com.example.published",
        "time": MOMENT,
    }
    return {**least, **EVENTS[name][0]}


def whole(name: str, source: str) -> dict[str, Any]:
    """The event called `name` with its data, as `Publisher.stored` shows it."""
    data = EVENTS[name][1]
    return {**attributes_of(name, source), **({} if data is None else {"data": data})}


def instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value.replace("Z", "+00:00"))


def assert_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Equal attribute by attribute and in its data; `time` as an instant, which SDKs write in their own way."""
    assert {**found, "time": instant(found["time"])} == {**wanted, "time": instant(wanted["time"])}
