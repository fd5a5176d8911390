"""What is said of each topic, rendered: rows of what is new, and parts of a page that are replaced as a whole.

A topic has 25 rows at a time at most; when more happened, evenly chosen ones are shown, and it is said one in how many.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import close_old_connections
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import words
from delivery.deadletters import listing
from delivery.models import BinRequest
from delivery.pages import lines
from delivery.pages.stretch import named
from delivery.pages.summary import drawn, summary
from delivery.tracking import attempts, events, rates
from delivery.tracking.attempts import Attempt
from delivery.tracking.read import now, some
from delivery.tracking.tail import News, Reader

ROWS = 25
RATE_EVERY, SUMMARY_EVERY, DEAD_EVERY = 2.0, 5.0, 1.0
# A summary that is expensive to make is made less often: it takes one part in so many of the time.
SPARING = 20

Part = dict[str, Any]
log = logging.getLogger(__name__)


class Look:
    """What was told already, by language. Used by one thread."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.told: dict[str, _Told] = {}

    @property
    def head(self) -> int:
        """The seq of the newest event that was seen."""
        return self.reader.head

    def parts(self, asked: Mapping[str, frozenset[str]]) -> dict[str, list[Part]]:
        """What is new, by language: rendered in each for the topics that somebody watches in it."""
        close_old_connections()
        news = self.reader.news()
        return {
            language: _in(language, partial(self._told(language).parts, topics, news))
            for language, topics in asked.items()
        }

    def missed(
        self, language: str, topics: frozenset[str], since: Mapping[str, int], head: int | None
    ) -> dict[str, Any]:
        """A message for a page that is opened, or comes back: how everything is, and what came in the meantime.

        since[topic] is the newest seq or id that it shows; `head` the seq that it knows of, None for a new page.
        """
        close_old_connections()
        told = self._told(language)

        def all_of() -> list[Part]:
            return told.now(topics, came_back=head is not None) + _safely(partial(_since, since))

        parts = _in(language, all_of)
        with translation.override(language):
            note = _reconnected(self.head - head) if head is not None and self.head > head else ""
        return {"head": self.head, "parts": parts, "note": note}

    def _told(self, language: str) -> _Told:
        return self.told.setdefault(language, _Told())


def _reconnected(count: int) -> str:
    return ngettext("Reconnected, %(n)s event since", "Reconnected, %(n)s events since", count) % {
        "n": words.number(count)
    }


class _Told:
    """What the watchers of one language were told last, and when."""

    def __init__(self) -> None:
        self.rate: tuple[float, int] = (0.0, -1)
        self.dead: tuple[float, int] = (0.0, -1)
        # Per topic of a summary: when it was made, how long that took (seconds), and what it said.
        self.summaries: dict[str, tuple[float, float, list[Part]]] = {}

    def parts(self, topics: frozenset[str], news: News) -> list[Part]:
        """What is new, rendered for every one of `topics`."""
        found = (
            []
            if news.nothing
            else [part for topic in sorted(topics) for part in _safely(partial(_of, topic, news))]
        )
        if "rate" in topics:
            found += self._rate()
        if "dead-letters" in topics:
            found += _safely(self._dead_letters)
        # Nobody looks at the others any more.
        self.summaries = {topic: made for topic, made in self.summaries.items() if topic in topics}
        for topic in sorted(topics):
            if topic.startswith("summary:"):
                found += self._summary(topic)
        return found

    def now(self, topics: frozenset[str], came_back: bool) -> list[Part]:
        """How the parts are that are replaced as a whole. A new page shows its summary; one that came back an old one."""
        found = []
        if "rate" in topics:
            found.append(_part("rate", "rate", _rate_text(rates.received_per_minute(now())), "replace"))
        if "dead-letters" in topics:
            found.append(_dead_part(listing.count()))
        if came_back:
            for topic in sorted(topics):
                if topic.startswith("summary:"):
                    self._summary(topic)
                    found += self.summaries[topic][2] or self._made(topic)
        return found

    def _rate(self) -> list[Part]:
        at = time.monotonic()
        if at - self.rate[0] < RATE_EVERY:
            return []
        rate = rates.received_per_minute(now())
        changed = rate != self.rate[1]
        self.rate = (at, rate)
        return [_part("rate", "rate", _rate_text(rate), "replace")] if changed else []

    def _dead_letters(self) -> list[Part]:
        """The count beside the menu's entry, when it has changed; nothing stands there while there is none."""
        at = time.monotonic()
        if at - self.dead[0] < DEAD_EVERY:
            return []
        count = listing.count()
        changed = count != self.dead[1]
        self.dead = (at, count)
        return [_dead_part(count)] if changed else []

    def _summary(self, topic: str) -> list[Part]:
        at = time.monotonic()
        made_at, took, before = self.summaries.setdefault(topic, (at, 0.0, []))
        if at - made_at < max(SUMMARY_EVERY, SPARING * took):
            return []
        found = self._made(topic)
        # What stayed the same is not sent again.
        return [part for part in found if part not in before]

    def _made(self, topic: str) -> list[Part]:
        began = time.monotonic()
        found = _safely(partial(_summary, topic))
        ended = time.monotonic()
        self.summaries[topic] = (ended, ended - began, found)
        return found


def _dead_part(count: int) -> Part:
    return _part("dead-letters", "dead-letters", words.number(count) if count else "", "replace")


# The feed sends one text to all who look, so nobody's rights to see personal data count in it.
NOBODY = AnonymousUser()


def _in(language: str, work: Callable[[], list[Part]]) -> list[Part]:
    with translation.override(language):
        return work()


def _safely(work: Callable[[], list[Part]]) -> list[Part]:
    """One topic's trouble is not the others'."""
    try:
        return work()
    except Exception:
        log.exception("A part of the live feed could not be made.")
        return []


def _part(asked: str, topic: str, html: str, how: str = "prepend", sampled: int = 1) -> Part:
    """`for`: the topic that was asked for; `topic`: the place in the page; `sampled`: one in so many is shown."""
    note = _("sampled 1 in %(n)s") % {"n": sampled} if sampled > 1 else ""
    return {"for": asked, "topic": topic, "html": html, "how": how, "sampled": note}


def _of(topic: str, news: News) -> list[Part]:
    kind, _colon, number = topic.partition(":")
    if kind == "wire":
        seqs = range(news.events[0], news.events[1] + 1)
        chosen = some(seqs, ROWS)
        return [_wire(chosen, _one_in(len(seqs), chosen))] if chosen else []
    if kind == "deliveries":
        return _attempts(topic, _listed(news.attempts, number), lines.attempt_rows)
    if kind == "target":
        found = [one for one in news.attempts if one.target == int(number)]
        return _attempts(topic, found, lines.target_rows)
    if kind == "bin":
        return _requests(topic, news.requests.get(int(number), []))
    return []


def _listed(made: Sequence[Attempt], which: str) -> list[Attempt]:
    """Those that a list shows: "" all, "failed", or those at the target of that number."""
    if which == "failed":
        return [one for one in made if not one.delivered]
    return [one for one in made if not which or one.target == int(which)]


def _wire(seqs: Sequence[int], sampled: int) -> Part:
    found = lines.of_events(events.headlines_of(seqs))
    return _part("wire", "wire", lines.event_rows(found, new=True), sampled=sampled)


def _attempts(topic: str, found: Sequence[Attempt], rendered: Callable[..., str]) -> list[Part]:
    chosen = some(found, ROWS)
    if not chosen:
        return []
    html = rendered(lines.of_attempts(chosen, NOBODY), new=True)
    return [_part(topic, topic, html, sampled=_one_in(len(found), chosen))]


def _requests(topic: str, ids: Sequence[int]) -> list[Part]:
    chosen = some(ids, ROWS)
    if not chosen:
        return []
    found = lines.of_requests(list(BinRequest.objects.filter(pk__in=chosen).order_by("-id")), NOBODY)
    return [_part(topic, topic, lines.request_rows(found, new=True), sampled=_one_in(len(ids), chosen))]


def _summary(topic: str) -> list[Part]:
    """The places of the page of deliveries that show figures: what is wrong and the counts, the charts, the targets."""
    _kind, name, *only = topic.split(":")
    context = summary(named(name, now()), int(only[0]) if only else None)
    context |= drawn(context) | {"caption": _("Targets")}
    templates = {"": "summary.html", "charts:": "charts.html", "targets:": "targets_table.html"}
    return [
        _part(topic, place + topic, render_to_string(f"delivery/{template}", context), "replace")
        for place, template in templates.items()
        if not (only and place == "targets:")  # The page of one target has no list of them.
    ]


def _rate_text(rate: int) -> str:
    return render_to_string("delivery/rate.html", {"rate": words.number(rate)})


def _one_in(all_of: int, chosen: Sequence[object]) -> int:
    return -(-all_of // len(chosen)) if chosen else 1


def _since(since: Mapping[str, int]) -> list[Part]:
    found: list[Part] = []
    for topic, number in since.items():
        kind, _colon, pk = topic.partition(":")
        if kind == "wire":
            missed = events.headlines(ROWS, after=number)
            if missed:
                found.append(_wire([one.seq for one in missed], 1))
        elif kind in ("deliveries", "target"):
            listed = attempts.of_target(int(pk), ROWS) if pk.isdecimal() else attempts.newest(ROWS, bool(pk))
            rendered = lines.target_rows if kind == "target" else lines.attempt_rows
            missed_there = sorted((one for one in listed if one.ended > number), key=lambda one: one.ended)
            found += _attempts(topic, missed_there, rendered)
        elif kind == "bin":
            ids = BinRequest.objects.filter(bin_id=int(pk), pk__gt=number).values_list("pk", flat=True)[:ROWS]
            found += _requests(topic, sorted(ids))
    return found
