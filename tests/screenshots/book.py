"""The index of the pictures: a page of its own that shows each scene's pictures side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 24px; background: #f5f4f1; color: #1b1e26 }
h2 { font-size: 16px; margin: 32px 0 8px } h2 code { font-weight: 400; color: #6a6d76 }
section { scroll-margin-top: 16px } .row { display: flex; gap: 12px; align-items: start; overflow-x: auto }
figure { margin: 0 } figcaption { font-size: 12px; color: #6a6d76 }
img { height: 420px; width: auto; max-width: 640px; object-fit: cover; object-position: top left; border: 1px solid #d3d1cc; background: #fff }
nav { columns: 5 160px } nav a { display: block }
"""


def write(
    folder: Path, said: str, scenes: Sequence[tuple[str, str]], pictures: Mapping[str, Sequence[str]]
) -> Path:
    """Writes index.html into `folder`: of `scenes` (name, address) the `pictures` (file names by scene's name)."""
    contents = "".join(f'<a href="#{name}">{name}</a>' for name, _ in scenes)
    sections = "".join(
        f'<section id="{name}"><h2>{name} <code>{escape(address)}</code></h2><div class="row">'
        + "".join(_figure(file) for file in pictures[name])
        + "</div></section>\n"
        for name, address in scenes
    )
    index = folder / "index.html"
    index.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Every page</title><style>{STYLE}</style>'
        f"<h1>Every page</h1><p>{escape(said)}</p><nav>{contents}</nav>\n{sections}</html>\n"
    )
    return index


def _figure(file: str) -> str:
    caption = " ".join(file.removesuffix(".png").rsplit("-", 2)[1:])
    return (
        f'<figure><a href="{file}"><img src="{file}" loading="lazy" alt="{caption}"></a>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
