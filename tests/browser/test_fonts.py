"""Slimmed typefaces look like the whole ones, to the pixel."""

from __future__ import annotations

from base64 import b64encode

import pytest
from django.conf import settings
from playwright.sync_api import Browser

from catalog.fonts import slim

TEXTS = (
    "Hamburgefonstiv AVATAR To. fi ffl 0123456789 −1,234.56 %",
    "Ærøskøbing Łódź Győr Žižkov Tiếng Việt ßſ ǅ",
    "“quoted” ‘so’ – — … · × ÷ ≥ ≤ ≠ → ↵ ↑ ⌘ € £ ½ ² ✓ ● ◆ ▲ ○",
    '{"order_id": "order-1", "a": [1, 2.5e-3, true, null]} != === -> => ${data.total}',
)
PAGE = """<style>@font-face {{ font-family: face; src: url(data:font/ttf;base64,{font}); font-weight: 100 900 }}
body {{ font: 16px face, monospace; font-feature-settings: {features}; margin: 8px }} p {{ margin: 4px }}</style>
{lines}"""
LINES = "".join(
    f'<p style="font-weight: {weight}; font-variant-numeric: {figures}">{text}</p>'
    for weight in (400, 550, 600)
    for figures in ("normal", "tabular-nums")
    for text in TEXTS
)


@pytest.mark.parametrize(
    ("path", "features", "settings_of_css"),
    [(settings.GEIST, True, "normal"), (settings.JETBRAINS_MONO, False, '"liga" 0, "calt" 0')],
    ids=["geist", "mono"],
)
def test_what_the_console_shows_looks_the_same(chromium: Browser, path, features, settings_of_css) -> None:
    page = chromium.new_page(viewport={"width": 900, "height": 800})
    whole = path.read_bytes()
    pictures = []
    for font in (whole, slim(whole, features)):
        page.set_content(PAGE.format(font=b64encode(font).decode(), features=settings_of_css, lines=LINES))
        assert page.evaluate("document.fonts.load('16px face').then(found => found.length)") == 1
        page.evaluate("document.fonts.ready")
        pictures.append(page.screenshot())
    page.close()
    assert pictures[0] == pictures[1]
