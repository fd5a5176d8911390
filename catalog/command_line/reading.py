"""Files of the command line."""

from __future__ import annotations

import sys
from pathlib import Path

from django.utils.translation import gettext as _

from catalog.command_line.ending import NotAsked
from catalog.schemas.limits import DOCUMENT_BYTES

STDIN = "-"


def text_of(name: str) -> str:
    """The text of a file, `-` for standard input. Raises NotAsked."""
    try:
        data = sys.stdin.buffer.read(DOCUMENT_BYTES + 1) if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise NotAsked(f"{name}: {error.strerror or error}") from None
    if len(data) > DOCUMENT_BYTES:
        raise NotAsked(
            _("%(file)s: it has more than %(bytes)s bytes.") % {"file": name, "bytes": f"{DOCUMENT_BYTES:,}"}
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAsked(_("%(file)s: not UTF-8 text") % {"file": name}) from None
