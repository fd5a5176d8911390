"""Slimmed typefaces: whole files, smaller by what is not shown. tests/browser/test_fonts.py looks at them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings
from fontTools.ttLib import TTFont

from catalog import fonts

FACES = [(settings.GEIST, True), (settings.JETBRAINS_MONO, False)]


@pytest.mark.parametrize(("path", "features"), FACES, ids=["geist", "mono"])
def test_a_slimmed_font_shows_latin_alone(path: Path, features: bool) -> None:
    slimmed = fonts.slim(path.read_bytes(), features)
    font, whole = TTFont(io.BytesIO(slimmed), checkChecksums=2), TTFont(path)
    signs, before = set(font.getBestCmap()), set(whole.getBestCmap())
    assert set(map(ord, "AZaz09ßÅąőŁ–—…“”→↵×≥€✓")) & before <= signs
    assert signs <= before
    assert not any(0x370 <= sign < 0x530 for sign in signs), "Greek and Cyrillic come from the system"
    assert ("GSUB" in font) is features
    assert "fvar" in font, "of all weights"
    assert len(slimmed) < 0.9 * path.stat().st_size


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
