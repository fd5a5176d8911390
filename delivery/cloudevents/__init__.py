"""The strict CloudEvents 1.0 codec: attributes, JSON format (single and batch) and HTTP binding.

Takes bytes and headers, gives `CloudEvent`s or raises `Refused` with the place and the reason.
Pure: msgspec and the standard library only; files are named for the part of the specification they implement.
"""

from delivery.cloudevents.event import CloudEvent, Limits
from delivery.cloudevents.http_binding import (
    decode,
    decode_binary,
    encode_binary,
    encode_structured,
    header_value,
)
from delivery.cloudevents.json_format import decode_batch, decode_structured
from delivery.cloudevents.problems import Refused, UnsupportedFormat

__all__ = [
    "CloudEvent",
    "Limits",
    "Refused",
    "UnsupportedFormat",
    "decode",
    "decode_batch",
    "decode_binary",
    "decode_structured",
    "encode_binary",
    "encode_structured",
    "header_value",
]
