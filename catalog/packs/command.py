"""`manage.py catalog pack NAME`: its arguments and its work."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from catalog.packs.fetching import PackNotFetched, fetch
from catalog.packs.known import PACKS
from catalog.packs.registering import PackNotRegistered, Wishes, register

WORDS = {
    "registered": "{} registered",
    "unchanged": "{} were there already",
    "draft": "{} kept as drafts",
    "waiting": "{} wait as drafts since an earlier run",
    "refused": "{} could not be read",
}


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of `pack`."""
    parser.add_argument("name", choices=sorted(PACKS), help="which pack")
    parser.add_argument("--team", help="who owns the event types; made when there is none of this name")
    parser.add_argument("--domain", help="the shelf they stand on (default: the pack's title)")
    parser.add_argument(
        "--bus", help="the bus of the pack's source, when it is not registered (default: the first)"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="EVENT", help="such as: push issues pull_request.opened"
    )


def run(options: Mapping[str, Any], say: Callable[[str], object]) -> None:
    """Fetches the pack and registers it; `say` is given a line at a time. Raises CommandError."""
    pack = PACKS[options["name"]]
    say(f"Fetching {pack.package} {pack.version} …")
    wishes = Wishes(options["team"], options["domain"], options["bus"], tuple(options["only"]))
    try:
        document = fetch(pack, Path(settings.VAR))
        done = register(pack, document, wishes, lambda done, all: say(f"{done} of {all} event types"))
    except (PackNotFetched, PackNotRegistered) as error:
        raise CommandError(str(error)) from error
    for line in done.said[:20]:
        say(line)
    counts = [text.format(done.counts[state]) for state, text in WORDS.items() if done.counts[state]]
    say(f"{pack.title}: {', '.join(counts)}.")
