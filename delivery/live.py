"""The live feed: one task per web process looks for news while somebody watches, and renders once per language.

It begins with the first watcher and ends with the last. At most 4 messages a second go to a watcher, with at most 25
rows per topic each; when more happened, evenly chosen ones are shown and the message says one in how many.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import close_old_connections, connection
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from catalog.display import words
from delivery.deadletters import listing
from delivery.models import BinRequest
from delivery.pages import lines
from delivery.pages.summary import RANGES, summary
from delivery.tracking import attempts, events, rates
from delivery.tracking.attempts import Attempt
from delivery.tracking.read import now, some
from delivery.tracking.tail import News, Reader

EVERY, ROWS = 0.25, 25
RATE_EVERY, SUMMARY_EVERY, DEAD_EVERY = 2.0, 5.0, 1.0
# A watcher that does not read for two seconds loses messages; its page says so when it catches up.
QUEUED = 8
NEEDED = {
    "wire": "catalog.view_eventtype",
    "rate": "catalog.view_eventtype",
    "deliveries": "rules.view_target",
    "target": "rules.view_target",
    "summary": "rules.view_target",
    "bin": "delivery.view_requestbin",
    "dead-letters": "rules.view_target",
}
TOPIC = re.compile(
    r"wire|rate|dead-letters|deliveries(?::failed)?|(?:target|bin):[0-9]{1,18}|summary:(?:"
    + "|".join(RANGES)
    + ")"
)

Part = dict[str, Any]
log = logging.getLogger(__name__)


def needed_for(topic: str) -> str | None:
    """The permission that watching `topic` needs; None for no topic at all."""
    return NEEDED[topic.partition(":")[0]] if TOPIC.fullmatch(topic) else None


class Watcher:
    """One socket: the topics it watches, and a queue of messages (JSON texts) on their way to it, in its `language`."""

    def __init__(self, language: str = settings.LANGUAGE_CODE) -> None:
        self.language = language
        self.topics: frozenset[str] = frozenset()
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUED)
        self.missed = 0

    def tell(self, parts: Sequence[Part]) -> None:
        """Queues the parts this watcher asked for; drops them when it does not keep up."""
        mine = [part for part in parts if part["for"] in self.topics]
        if not mine:
            return
        try:
            self.queue.put_nowait(json.dumps({"parts": mine}))
        except asyncio.QueueFull:
            self.missed += 1


class Feed:
    """All watchers of this process, and the task that looks for them."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    @property
    def running(self) -> bool:
        """Whether the task is there: somebody watches."""
        return self._task is not None and not self._task.done()

    def add(self, watcher: Watcher) -> None:
        """Begins to look for `watcher`. Called in the event loop."""
        self._watchers.add(watcher)
        if not self.running:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
            self._task = asyncio.get_running_loop().create_task(self._look(self._thread))

    def remove(self, watcher: Watcher) -> None:
        """Stops looking for `watcher`; the last one ends the task."""
        self._watchers.discard(watcher)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = self._thread = None

    async def catch_up(self, watcher: Watcher, since: Mapping[str, int]) -> None:
        """Tells `watcher` what it missed: since[topic] is the newest seq or id that its page shows."""
        wanted = {topic: number for topic, number in since.items() if topic in watcher.topics}
        if wanted and self._thread is not None:
            found = await asyncio.get_running_loop().run_in_executor(
                self._thread, _in, watcher.language, partial(_safely, partial(_since, wanted))
            )
            watcher.tell(found)

    async def _look(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        looking: _Look | None = None
        try:
            while True:
                began = loop.time()
                try:
                    if looking is None:
                        looking = await loop.run_in_executor(thread, _Look)
                    asked: dict[str, frozenset[str]] = {}
                    for watcher in self._watchers:
                        asked[watcher.language] = asked.get(watcher.language, frozenset()) | watcher.topics
                    parts = await loop.run_in_executor(thread, looking.parts, asked)
                except Exception:
                    log.exception("The live feed could not look; it tries again.")
                    looking, parts = None, {}
                    await asyncio.sleep(1)
                for watcher in list(self._watchers):
                    watcher.tell(parts.get(watcher.language, ()))
                await asyncio.sleep(max(EVERY - (loop.time() - began), 0.05))
        finally:
            thread.submit(connection.close)
            thread.shutdown(wait=False)


feed = Feed()


class _Look:
    """The state of looking; lives in the feed's one thread."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.told: dict[str, _Told] = {}

    def parts(self, asked: Mapping[str, frozenset[str]]) -> dict[str, list[Part]]:
        """What is new, by language: rendered in each for the topics that somebody watches in it."""
        close_old_connections()
        news = self.reader.news()
        return {
            language: _in(language, partial(self.told.setdefault(language, _Told()).parts, topics, news))
            for language, topics in asked.items()
        }


class _Told:
    """What the watchers of one language were told last, and when."""

    def __init__(self) -> None:
        self.rate: tuple[float, int] = (0.0, -1)
        self.dead: tuple[float, int] = (0.0, -1)
        self.summaries: dict[str, float] = {}

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
        for topic in sorted(topics):
            if topic.startswith("summary:"):
                found += self._summary(topic)
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
        shown = words.number(count) if count else ""
        return [_part("dead-letters", "dead-letters", shown, "replace")] if changed else []

    def _summary(self, topic: str) -> list[Part]:
        at = time.monotonic()
        if at - self.summaries.setdefault(topic, at) < SUMMARY_EVERY:
            return []
        self.summaries[topic] = at
        return _safely(partial(_summary, topic))


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
        found = [one for one in news.attempts if not (number and one.delivered)]
        return _attempts(topic, found, lines.attempt_rows)
    if kind == "target":
        found = [one for one in news.attempts if one.target == int(number)]
        return _attempts(topic, found, lines.target_rows)
    if kind == "bin":
        return _requests(topic, news.requests.get(int(number), []))
    return []


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
    context = summary(topic.partition(":")[2])
    context |= {"caption": _("Targets"), "range_label": context["stretch"].label}
    return [
        _part(topic, topic, render_to_string("delivery/summary.html", context), "replace"),
        _part(
            topic,
            topic.replace("summary", "targets"),
            render_to_string("delivery/targets_table.html", context),
            "replace",
        ),
    ]


def _rate_text(rate: int) -> str:
    return render_to_string("delivery/rate.html", {"rate": words.number(rate)})


def _one_in(all_of: int, chosen: Sequence[object]) -> int:
    return -(-all_of // len(chosen)) if chosen else 1


def _since(since: Mapping[str, int]) -> list[Part]:
    close_old_connections()
    found: list[Part] = []
    for topic, number in since.items():
        kind, _colon, pk = topic.partition(":")
        if kind == "wire":
            missed = events.headlines(ROWS, after=number)
            if missed:
                found.append(_wire([one.seq for one in missed], 1))
        elif kind in ("deliveries", "target"):
            listed = (
                attempts.of_target(int(pk), ROWS) if kind == "target" else attempts.newest(ROWS, bool(pk))
            )
            rendered = lines.target_rows if kind == "target" else lines.attempt_rows
            missed_there = sorted((one for one in listed if one.ended > number), key=lambda one: one.ended)
            found += _attempts(topic, missed_there, rendered)
        elif kind == "bin":
            ids = BinRequest.objects.filter(bin_id=int(pk), pk__gt=number).values_list("pk", flat=True)[:ROWS]
            found += _requests(topic, sorted(ids))
    return found
