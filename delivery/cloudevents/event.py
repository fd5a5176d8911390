"""One accepted event, and how large events may be."""

from __future__ import annotations

import msgspec

# CloudEvents 1.0, "Size Limits": intermediaries must forward events of up to 64 KiB.
SMALLEST_EVENT_LIMIT = 64 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one request may carry.

    `event_bytes`: one event as it was sent (structured: its JSON text; binary: header values and body).
    `batch`: events in a batch.  `batch_bytes`: the whole batch.
    `attributes`: context attributes of one event.  `attribute_bytes`: one attribute, name and value, in UTF-8.
    `depth`: nested arrays and objects, the event itself counted.
    Raises ValueError for an `event_bytes` below 64 KiB, which every CloudEvents receiver has to take.
    """

    event_bytes: int = 1024 * 1024
    batch: int = 1000
    batch_bytes: int = 16 * 1024 * 1024
    attributes: int = 100
    attribute_bytes: int = 4096
    depth: int = 128

    def __post_init__(self) -> None:
        if self.event_bytes < SMALLEST_EVENT_LIMIT:
            raise ValueError(
                f"event_bytes is {self.event_bytes}; CloudEvents 1.0 asks for at least {SMALLEST_EVENT_LIMIT}"
            )


DEFAULT_LIMITS = Limits()


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event that satisfied CloudEvents 1.0.

    `raw` is what gets stored: one JSON object in the CloudEvents JSON format, UTF-8, no member name twice at
    any depth, no null attributes.
    `data` is the payload: JSON text when `data_is_json`, else the bytes themselves (text in the charset of
    `datacontenttype`); None when the event has none. It is exactly the body of the event in binary mode.
    `time` is kept as it was written (RFC 3339).
    """

    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: dict[str, str | int | bool] = {}
    raw: bytes
    data: bytes | None = None
    data_is_json: bool = False

    @property
    def attributes(self) -> dict[str, str | int | bool]:
        """All context attributes by name, `specversion` and extensions included; a new dict each time."""
        attributes: dict[str, str | int | bool] = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
        }
        if self.subject is not None:
            attributes["subject"] = self.subject
        if self.time is not None:
            attributes["time"] = self.time
        if self.datacontenttype is not None:
            attributes["datacontenttype"] = self.datacontenttype
        if self.dataschema is not None:
            attributes["dataschema"] = self.dataschema
        attributes.update(self.extensions)
        return attributes
