"""Slimmed typefaces: whole files by their own sums, smaller by what is not shown. tests/browser/test_fonts.py looks at them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from django.conf import settings

from catalog import fonts

FACES = [(settings.GEIST, True), (settings.JETBRAINS_MONO, False)]


def added_up(data: bytes) -> int:
    return sum(struct.unpack(f">{len(data) // 4}L", data)) & 0xFFFFFFFF


@pytest.mark.parametrize(("path", "features"), FACES, ids=["geist", "mono"])
def test_a_slimmed_font_is_whole_and_shows_latin_alone(path: Path, features: bool) -> None:
    whole = path.read_bytes()
    slimmed = fonts.slim(whole, features)
    assert added_up(slimmed) == fonts.WHOLE
    signs, before = (fonts._signs(fonts._tables(one)["cmap"]) for one in (slimmed, whole))
    assert set(map(ord, "AZaz09ßÅąőŁ–—…“”→↵×≥€✓")) & set(before) <= set(signs)
    assert {sign: before[sign] for sign in signs} == signs
    assert not any(0x370 <= sign < 0x530 for sign in signs), "Greek and Cyrillic come from the system"
    assert ("GSUB" in fonts._tables(slimmed)) is features
    assert len(slimmed) < 0.9 * len(whole)


def test_it_is_made_once_and_again_when_the_font_is_another(tmp_path: Path) -> None:
    first = fonts.slim_folder(settings.GEIST, tmp_path, features=True)
    made = first / settings.GEIST.name
    at = made.stat().st_mtime_ns
    assert fonts.slim_folder(settings.GEIST, tmp_path, features=True) == first
    assert made.stat().st_mtime_ns == at
    assert fonts.slim_folder(settings.JETBRAINS_MONO, tmp_path, features=False) != first
    assert sorted(one.suffix for one in (tmp_path / "fonts").iterdir()) == ["", ""], (
        "nothing half made is left"
    )
