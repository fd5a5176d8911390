"""The console's typefaces without what it never shows, so that a first page stays small: half of a font's bytes are
Cyrillic, Greek, box drawings and ligatures. Signs that are left out come from the reader's system, as Chinese does.

Fonts arrive whole in packages; what is made of them is kept in the var folder. OpenType 1.9: glyph numbers stay as they
are, so only `cmap`, `glyf`, `loca`, `gvar` and `post` are written anew.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

# Latin with all its accents, punctuation, figures, arrows, mathematical and other signs.
SHOWN = (
    (0x20, 0x250),
    (0x300, 0x370),
    (0x1E00, 0x1F00),
    (0x2000, 0x2500),
    (0x25A0, 0x2C00),
    (0xFB00, 0xFB07),
)
# What all of a font file adds up to.
WHOLE = 0xB1B0AFBA
_COMPONENT = struct.Struct(">HH")


def slim_folder(font: Path, var: Path, *, features: bool) -> Path:
    """A folder of `var` that holds the slimmed `font` under its own name, made when it is not there; see `slim`."""
    whole = font.read_bytes()
    made_of = hashlib.sha256(repr((SHOWN, features)).encode() + whole).hexdigest()[:16]
    folder = var / "fonts" / made_of
    if not (folder / font.name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(slim(whole, features))
        fresh.replace(folder / font.name)
    return folder


def slim(font: bytes, features: bool) -> bytes:
    """The TrueType `font` with the signs of SHOWN alone, without names of glyphs; without `features`, without GSUB."""
    tables = _tables(font)
    if not features:
        del tables["GSUB"]
    shown = {
        sign: glyph
        for sign, glyph in _signs(tables["cmap"]).items()
        if any(first <= sign < end for first, end in SHOWN)
    }
    places = _places(tables)
    everything = range(len(places) - 1)
    # What no sign leads to, a feature may.
    unmapped = set(everything) - set(_signs(tables["cmap"]).values()) if features else set()
    kept = _with_components({0, *shown.values()} | unmapped, tables["glyf"], places)
    outlines = [tables["glyf"][places[at] : places[at + 1]] if at in kept else b"" for at in everything]
    tables["glyf"] = b"".join(outlines)
    tables["loca"] = _offsets(outlines)
    tables["head"] = tables["head"][:50] + struct.pack(">h", 1) + tables["head"][52:]
    tables["gvar"] = _variations(tables["gvar"], kept)
    tables["cmap"] = _cmap(shown)
    tables["post"] = struct.pack(">L", 0x30000) + tables["post"][4:32]
    return _font(font[:4], tables)


def _tables(font: bytes) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">H", font, 4)
    records = (struct.unpack_from(">4sLLL", font, 12 + 16 * at) for at in range(count))
    return {tag.decode("ascii"): font[start : start + size] for tag, _sum, start, size in records}


def _signs(cmap: bytes) -> dict[int, int]:
    """Glyph by code point, of the subtable that knows most."""
    (count,) = struct.unpack_from(">H", cmap, 2)
    found: dict[int, int] = {}
    for at in range(count):
        (start,) = struct.unpack_from(">L", cmap, 8 + 8 * at)
        (kind,) = struct.unpack_from(">H", cmap, start)
        one = _segments(cmap, start) if kind == 4 else _groups(cmap, start) if kind == 12 else {}
        found = max(found, one, key=len)
    return found


def _segments(cmap: bytes, start: int) -> dict[int, int]:
    """A subtable of format 4."""
    size = struct.unpack_from(">H", cmap, start + 6)[0]
    columns = [start + 14, *(start + 16 + size * number for number in (1, 2, 3))]
    found = {}
    for at in range(0, size, 2):
        end, first, delta, offset = (struct.unpack_from(">H", cmap, column + at)[0] for column in columns)
        for sign in range(first, min(end, 0xFFFE) + 1):
            glyph = sign
            if offset:
                (glyph,) = struct.unpack_from(">H", cmap, columns[3] + at + offset + 2 * (sign - first))
            if glyph and (glyph + delta) & 0xFFFF:
                found[sign] = (glyph + delta) & 0xFFFF
    return found


def _groups(cmap: bytes, start: int) -> dict[int, int]:
    """A subtable of format 12."""
    (count,) = struct.unpack_from(">L", cmap, start + 12)
    groups = (struct.unpack_from(">LLL", cmap, start + 16 + 12 * at) for at in range(count))
    return {sign: glyph + sign - first for first, last, glyph in groups for sign in range(first, last + 1)}


def _cmap(signs: Mapping[int, int]) -> bytes:
    """One subtable of format 12, which all browsers read."""
    groups: list[list[int]] = []
    for sign, glyph in sorted(signs.items()):
        if groups and groups[-1][1] == sign - 1 and groups[-1][2] + sign - groups[-1][0] == glyph:
            groups[-1][1] = sign
        else:
            groups.append([sign, sign, glyph])
    body = b"".join(struct.pack(">LLL", *group) for group in groups)
    return struct.pack(">HHHHLHHLLL", 0, 1, 3, 10, 12, 12, 0, 16 + len(body), 0, len(groups)) + body


def _places(tables: Mapping[str, bytes]) -> list[int]:
    """Where each outline begins in `glyf`, and where the last one ends."""
    (count,) = struct.unpack_from(">H", tables["maxp"], 4)
    if struct.unpack_from(">h", tables["head"], 50)[0]:
        return list(struct.unpack_from(f">{count + 1}L", tables["loca"]))
    return [2 * half for half in struct.unpack_from(f">{count + 1}H", tables["loca"])]


def _with_components(glyphs: set[int], glyf: bytes, places: list[int]) -> set[int]:
    """`glyphs` and what they are put together from."""
    kept, todo = set(glyphs), list(glyphs)
    while todo:
        glyph = todo.pop()
        at, more = places[glyph], places[glyph + 1] > places[glyph]
        more = more and struct.unpack_from(">h", glyf, at)[0] < 0
        at += 10
        while more:
            flags, part = _COMPONENT.unpack_from(glyf, at)
            at += (
                4
                + (4 if flags & 1 else 2)
                + (2 if flags & 8 else 4 if flags & 0x40 else 8 if flags & 0x80 else 0)
            )
            if part not in kept:
                kept.add(part)
                todo.append(part)
            more = bool(flags & 0x20)
    return kept


def _variations(gvar: bytes, kept: set[int]) -> bytes:
    version, axes, shared, tuples, count, flags, data = struct.unpack_from(">LHHLHHL", gvar)
    wide = bool(flags & 1)
    offsets = struct.unpack_from(f">{count + 1}{'L' if wide else 'H'}", gvar, 20)
    starts = [data + offset * (1 if wide else 2) for offset in offsets]
    parts = [gvar[starts[at] : starts[at + 1]] if at in kept else b"" for at in range(count)]
    common = gvar[tuples : tuples + 2 * axes * shared]
    index = _offsets(parts)
    head = struct.pack(
        ">LHHLHHL", version, axes, shared, 20 + len(index), count, flags | 1, 20 + len(index) + len(common)
    )
    return head + index + common + b"".join(parts)


def _offsets(parts: Iterable[bytes]) -> bytes:
    """Where each of `parts` begins, and where the last one ends, as numbers of four bytes."""
    found = [0]
    for part in parts:
        found.append(found[-1] + len(part))
    return struct.pack(f">{len(found)}L", *found)


def _font(kind: bytes, tables: Mapping[str, bytes]) -> bytes:
    """A font file of `tables`."""
    power = len(tables).bit_length() - 1
    head = kind + struct.pack(">HHHH", len(tables), 16 << power, power, 16 * (len(tables) - (1 << power)))
    start, records, bodies, sum_at = 12 + 16 * len(tables), [], [], 0
    for tag, table in sorted(tables.items()):
        if tag == "head":  # It holds a sum of the whole file, counted while its own place is empty.
            sum_at, table = start + 8, table[:8] + bytes(4) + table[12:]
        padded = table + bytes(-len(table) % 4)
        records.append(struct.pack(">4sLLL", tag.encode("ascii"), _sum(padded), start, len(table)))
        bodies.append(padded)
        start += len(padded)
    whole = head + b"".join(records + bodies)
    return whole[:sum_at] + struct.pack(">L", (WHOLE - _sum(whole)) & 0xFFFFFFFF) + whole[sum_at + 4 :]


def _sum(padded: bytes) -> int:
    return sum(struct.unpack(f">{len(padded) // 4}L", padded)) & 0xFFFFFFFF
