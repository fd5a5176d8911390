"""Values and arrays in PostgreSQL's binary format: a whole column of a commit in one parameter.

Packed here, because psycopg dumps a list element by element in Python, at about ten times the cost.
Format: array_recv in PostgreSQL's src/backend/utils/adt/arrayfuncs.c; integers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

INT8, TEXT, BYTEA = 20, 25, 17  # oids of the elements
_HEADER = struct.Struct(">iiIii").pack
_EMPTY = struct.Struct(">iiI").pack
_ELEMENT = struct.Struct(">iq").pack
_LENGTH = struct.Struct(">i").pack
_NULL = _LENGTH(-1)

number = struct.Struct(">q").pack
"""int8"""


def _array(oid: int, elements: list[bytes], nulls: bool = False) -> bytes:
    if not elements:
        return _EMPTY(0, 0, oid)
    return _HEADER(1, nulls, oid, len(elements), 1) + b"".join(elements)


def numbers(values: Sequence[int | None]) -> bytes:
    """int8[]"""
    nulls = None in values
    return _array(INT8, [_NULL if value is None else _ELEMENT(8, value) for value in values], nulls)


def blobs(values: Sequence[bytes | None]) -> bytes:
    """bytea[]"""
    return _lengths(BYTEA, values)


def texts(values: Sequence[str | None]) -> bytes:
    """text[]"""
    return _lengths(TEXT, [None if value is None else value.encode() for value in values])


def _lengths(oid: int, values: Sequence[bytes | None]) -> bytes:
    nulls = None in values
    return _array(oid, [_NULL if one is None else _LENGTH(len(one)) + one for one in values], nulls)
