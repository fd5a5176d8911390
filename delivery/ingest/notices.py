"""What a publisher is told who sends what will end: the headers Deprecation (RFC 9745), Sunset (RFC 8594) and Link."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import NamedTuple

from django.urls import reverse

from delivery.ingest.dataschema import addressed
from delivery.ingest.registered import Farewell, TypeFacts, VersionFacts

# Of a batch with more deprecated types than this, the first are linked.
LINKS = 5


class Notice(NamedTuple):
    """Something deprecated that an event uses: since when, until when, and links as the header writes them."""

    since: datetime
    ends_on: date | None
    links: tuple[str, ...]


def notice_of(facts: TypeFacts, version: VersionFacts | None) -> Notice | None:
    """The notice for an event of the type that is checked against `version`; None when nothing of it is deprecated."""
    if facts.farewell is not None:
        return Notice(facts.farewell.since, facts.farewell.ends_on, _links(facts, _successor(facts.farewell)))
    if version is not None and version.number in facts.superseded:
        follows = facts.default
        other = follows is not None and follows.number != version.number
        address = addressed(facts.name, follows.number) if follows is not None and other else None
        return Notice(*facts.superseded[version.number], _links(facts, address))
    return None


def headers(notices: Iterable[Notice | None]) -> list[tuple[bytes, bytes]]:
    """The headers for an answer about several events: the earliest dates, and each link once."""
    found = list(dict.fromkeys(one for one in notices if one is not None))
    if not found:
        return []
    since = min(one.since for one in found)
    told = [(b"deprecation", b"@%d" % int(since.timestamp()))]
    if ends := [one.ends_on for one in found if one.ends_on is not None]:
        # To the end of that day.
        last = datetime.combine(min(ends), time(23, 59, 59), UTC)
        told.append((b"sunset", format_datetime(last, usegmt=True).encode()))
    links = list(dict.fromkeys(link for one in found[:LINKS] for link in one.links))
    return [*told, (b"link", ", ".join(links).encode())]


def _successor(farewell: Farewell) -> str | None:
    if not farewell.successor:
        return None
    if farewell.successor_version:
        return addressed(farewell.successor, farewell.successor_version)
    return reverse("event-type", args=[farewell.successor])


def _links(facts: TypeFacts, successor: str | None) -> tuple[str, ...]:
    page = reverse("event-type", args=[facts.name])
    told = [f'<{page}>; rel="deprecation"; type="text/html"']
    if successor is not None:
        told.insert(0, f'<{successor}>; rel="successor-version"')
    return tuple(told)
