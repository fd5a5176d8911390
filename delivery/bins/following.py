"""Keeps the targets that deliver into our own bins pointed at where the web process listens now."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from delivery.models import RequestBin
from rules import revisions
from rules.models import Target

PATH = re.compile(r"/bin/([A-Za-z0-9_-]{1,32})(?:/|$)")


def follow_address(base: str) -> int:
    """Moves every target whose path is that of a bin of ours to `base`, the URL of the web process on this machine.

    Signalbox started with another PORT would otherwise deliver to its old one. Returns how many were moved. The
    address of a bin cannot be guessed, so a URL that holds one means this bin, wherever it points.
    """
    bins = set(RequestBin.objects.values_list("address", flat=True))
    here = urlsplit(base)
    moved = 0
    for target in Target.objects.filter(connector="http", config__url__icontains="/bin/"):
        url = urlsplit(str(target.config["url"]))
        address = PATH.match(url.path)
        if (
            address is None
            or address[1] not in bins
            or (url.scheme, url.netloc) == (here.scheme, here.netloc)
        ):
            continue
        there = url._replace(scheme=here.scheme, netloc=here.netloc).geturl()
        target.config = {**target.config, "url": there}
        revisions.save_target(target)
        moved += 1
    return moved
