"""Makes gettext's binary catalogues from the written ones, without GNU gettext and without a build step.

Django is not needed: the settings ask for this before there is one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

CATALOGUE = Path("LC_MESSAGES", "django.po")


def catalogues(source: Path) -> list[Path]:
    """The written catalogues below `source`, which holds one folder per language (zh_Hans)."""
    return sorted(source.glob(f"*/{CATALOGUE}"))


def compiled(source: Path, target: Path) -> Path:
    """The folder below `target` that has the catalogues of `source` in binary form, made if it is not there yet.

    It is named for what the catalogues hold, so that a process never reads those of another release. 0.2 s where
    they have to be made, else a few ms. Raises OSError where they are not UTF-8 or not written as catalogues are.
    """
    written = [(path, path.read_bytes()) for path in catalogues(source)]
    digest = hashlib.sha256()
    for path, content in written:
        digest.update(f"{path.parent.parent.name} {len(content)}\n".encode() + content)
    folder = target / digest.hexdigest()[:16]
    for path, content in written:
        ready = (folder / path.relative_to(source)).with_suffix(".mo")
        if not ready.exists():
            _compile(content, ready)
    return folder


def _compile(content: bytes, ready: Path) -> None:
    """Writes `ready` in one step: another process sees all of it or none."""
    import polib  # only here: most processes find what they need

    ready.parent.mkdir(parents=True, exist_ok=True)
    text = polib.pofile(content.decode()).to_binary()
    descriptor, draft = tempfile.mkstemp(dir=ready.parent, prefix=ready.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
        os.chmod(draft, 0o644)
        os.replace(draft, ready)
    except BaseException:
        os.unlink(draft)
        raise
