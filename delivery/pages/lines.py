"""Rows of lists, first painted by pages and then sent by the live feed: the same templates for both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.template.loader import render_to_string

from catalog.models import Domain, EventType
from catalog.personal import hidden_from
from delivery.models import BinRequest
from delivery.pages.received import hidden_requests, shown_headers
from delivery.pages.veil import attempt_veiled
from delivery.tracking import events, status
from delivery.tracking.attempts import Attempt
from delivery.tracking.events import Headline
from delivery.tracking.read import moment
from delivery.tracking.status import Status
from rules.models import Target


class AttemptLine(NamedTuple):
    """A delivery attempt with what a row shows around it; `event` is None when its bus no longer keeps it."""

    attempt: Attempt
    event: Headline | None
    domain: Domain | None
    target: str
    status: Status

    @property
    def ended(self) -> datetime:
        """When it was answered or given up, with its time zone."""
        return moment(self.attempt.ended)


class EventLine(NamedTuple):
    """An event with the domain of its type."""

    event: Headline
    domain: Domain | None


def domains_of(types: Iterable[str]) -> dict[str, Domain]:
    """The domain of each type that the catalog knows."""
    found = EventType.objects.filter(name__in=set(types)).select_related("domain")
    return {one.name: one.domain for one in found}


def of_attempts(attempts: Sequence[Attempt], user: Any) -> list[AttemptLine]:
    """Rows for attempts, the last to end first, as `user` may see them."""
    attempts = sorted(attempts, key=lambda one: (one.ended, one.number), reverse=True)
    told = {line.seq: line for line in events.headlines_of(sorted({attempt.seq for attempt in attempts}))}
    types = {line.type for line in told.values()}
    domains, hidden = domains_of(types), hidden_from(user, types)
    names = dict(
        Target.objects.filter(pk__in={attempt.target for attempt in attempts}).values_list("pk", "name")
    )
    return [
        AttemptLine(
            attempt_veiled(attempt) if (event := told.get(attempt.seq)) and event.type in hidden else attempt,
            event,
            domains.get(event.type) if event else None,
            names.get(attempt.target, f"#{attempt.target}"),
            status.of_attempt(attempt),
        )
        for attempt in attempts
    ]


def of_events(headlines: Sequence[Headline]) -> list[EventLine]:
    """Rows for events, in their order."""
    domains = domains_of(line.type for line in headlines)
    return [EventLine(line, domains.get(line.type)) for line in headlines]


# How long a source's newest event stays on the wire when others send more, in microseconds; static/js/live.js keeps
# to the same while a page is open.
KEPT = 120 * 1_000_000


def on_the_wire(headlines: Sequence[Headline], at: int, most: int) -> list[Headline]:
    """At most `most` of `headlines` (newest first), in their order.

    Those kept longest are the newest of each source received in the two minutes before `at` (microseconds): the one
    event of a person at a terminal stays to be seen while a busy source sends ten a second.
    """
    first_of: dict[str, int] = {}
    for line in headlines:
        if at - line.received_at <= KEPT:
            first_of.setdefault(line.source, line.seq)
    chosen = sorted(first_of.values(), reverse=True)[:most]
    others = [line.seq for line in headlines if line.seq not in set(chosen)]
    kept = {*chosen, *others[: most - len(chosen)]}
    return [line for line in headlines if line.seq in kept]


def attempt_rows(lines: Sequence[AttemptLine], new: bool = False) -> str:
    """The <tr>s of attempts on all targets."""
    return render_to_string("delivery/rows/attempts.html", {"lines": lines, "new": new})


def target_rows(lines: Sequence[AttemptLine], new: bool = False) -> str:
    """The <tr>s of attempts on one target's page."""
    return render_to_string("delivery/rows/target_attempts.html", {"lines": lines, "new": new})


def event_rows(lines: Sequence[EventLine], new: bool = False) -> str:
    """The <li>s of events as they arrive."""
    return render_to_string("delivery/rows/events.html", {"lines": lines, "new": new})


class RequestLine(NamedTuple):
    """What a bin received. `hidden`: the event has personal data that whoever looks may not see, so no body is shown."""

    request: BinRequest
    headers: list[tuple[str, str]]
    hidden: bool


def of_requests(requests: Sequence[BinRequest], user: Any) -> list[RequestLine]:
    """Rows for what a bin received, as `user` may see them."""
    hidden = hidden_requests(user, requests)
    return [RequestLine(one, shown_headers(one), one.pk in hidden) for one in requests]


def request_rows(lines: Sequence[RequestLine], new: bool = False) -> str:
    """The <article>s of what a request bin received."""
    return render_to_string("delivery/rows/requests.html", {"requests": lines, "new": new})
