"""Keeps the targets that deliver into our own bins pointed at where the web process listens now."""

from __future__ import annotations

from urllib.parse import urlsplit

from delivery.bins.found import bins_of
from rules import revisions
from rules.models import Target


def follow_address(base: str) -> int:
    """Moves every target whose path is that of a bin of ours to `base`, the URL of the web process on this machine.

    Signalbox started with another PORT would otherwise deliver to its old one. Returns how many were moved. The
    address of a bin cannot be guessed, so a URL that holds one means this bin, wherever it points.
    """
    here = urlsplit(base)
    moved = 0
    targets = list(Target.objects.filter(connector="http", config__url__icontains="/bin/"))
    bins = bins_of(targets)
    for target in targets:
        url = urlsplit(str(target.config["url"]))
        if target.pk not in bins or (url.scheme, url.netloc) == (here.scheme, here.netloc):
            continue
        there = url._replace(scheme=here.scheme, netloc=here.netloc).geturl()
        target.config = {**target.config, "url": there}
        revisions.save_target(target)
        moved += 1
    return moved
