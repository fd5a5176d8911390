"""JSON that keeps its numbers as they are written: 1.50 stays 1.50, and an integer of 20 digits stays exact.

A double cannot hold 1.50 apart from 1.5 (RFC 8259 §6 leaves precision to the reader), but a target may.
"""

from __future__ import annotations

from typing import Any

import msgspec

# What cannot be written: half a surrogate pair, a value nested hundreds of levels deep.
NOT_WRITABLE = (ValueError, RecursionError, msgspec.MsgspecError)


class Written(float):
    """A number that was written otherwise than Python would write it: `text` is how. Else a float like any other."""

    __slots__ = ("text",)
    text: str

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return _number, (self.text,)


def _number(text: str) -> float:
    value = float(text)
    # Exponents are written otherwise by Python (1e+20) than by the encoder (1e20).
    if value.__repr__() == text and "e" not in text:
        return value
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:40]} is too large")
    written = Written(value)
    written.text = text
    return written


def _raw(value: object) -> Any:
    """Whatever else reaches the encoder came out of an expression: its functions and regular expressions."""
    if isinstance(value, Written):
        return msgspec.Raw(value.text.encode())
    raise ValueError("a function is no JSON value")


_decoder = msgspec.json.Decoder(float_hook=_number)
_encoder = msgspec.json.Encoder(enc_hook=_raw)


def decode(raw: bytes | str) -> Any:
    """The value of JSON text. Raises ValueError when it is no JSON, RecursionError when it is nested too deep."""
    return _decoder.decode(raw)


def encode(value: Any) -> bytes:
    """`value` as compact JSON, numbers as they were written. Raises one of NOT_WRITABLE."""
    return _encoder.encode(value)
