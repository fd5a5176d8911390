"""The console's typefaces without what it never shows, so that a first page stays small: half of a font's bytes are
Cyrillic, Greek, box drawings and ligatures. Signs that are left out come from the reader's system, as Chinese does.

Fonts arrive whole in packages; what is made of them is kept in the var folder.
"""

from __future__ import annotations

import hashlib
import io
import os
from itertools import chain
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
    """The TrueType `font` with the signs of SHOWN alone; without `features`, none is replaced by another. Half a second."""
    # Only here: most processes find what they need.
    from fontTools import subset  # type: ignore[import-untyped]  # ships no types
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    options = subset.Options(layout_features=["*"], name_IDs=["*"], notdef_outline=True)
    options.drop_tables += ["meta"] if features else ["meta", "GSUB"]
    whole = TTFont(io.BytesIO(font), recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=chain.from_iterable(range(*shown) for shown in SHOWN))
    subsetter.subset(whole)
    slimmed = io.BytesIO()
    whole.save(slimmed)
    return slimmed.getvalue()
