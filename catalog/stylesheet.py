"""The console's style sheets as one file: a browser shows nothing until it has them all, and each costs a way there and
back. They are written in several, and put together when a process starts.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

# In the order in which they count. Others are of single pages, which ask for them.
SHEETS = ("tokens", "base", "components", "catalog", "rules", "delivery", "palette")
NAME = "css/console.css"


def stylesheet_folder(css: Path, var: Path) -> Path:
    """A folder of `var` that holds SHEETS of the folder `css` as NAME, made when it is not there."""
    whole = b"\n".join((css / f"{sheet}.css").read_bytes() for sheet in SHEETS)
    folder = var / "styles" / hashlib.sha256(whole).hexdigest()[:16]
    made = folder / NAME
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        fresh = made.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(whole)
        fresh.replace(made)
    return folder
