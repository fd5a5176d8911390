"""The page of one event: where it went, where it did not, and why; the answer first."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from catalog.access import needs
from catalog.display import words
from catalog.personal import shown_to
from delivery.deadletters import listing
from delivery.deadletters.causes import cause_of
from delivery.deadletters.chosen import Chosen
from delivery.pages import lines
from delivery.pages.kept_request import kept_request
from delivery.pages.outgoing import delivery_id, outgoing
from delivery.pages.tries import tries
from delivery.pages.veil import journey_for
from delivery.tracking import blocking, events, journey, status
from delivery.tracking.attempts import Attempt
from delivery.tracking.journey import Journey, Stop
from delivery.tracking.status import Status
from rules import registry
from rules.models import Target, TargetRevision

# Milliseconds: 1, 10, 100 ms, 1, 10 s, 1, 10 min, 1, 10 h, 10, 100 days.
TICKS = (1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 864_000_000, 8_640_000_000)


class Mark(NamedTuple):
    """One attempt on the time axis: its kind, where it starts (0 to 1000) and how wide it is."""

    kind: str
    x: float
    width: float


class StopLine(NamedTuple):
    """A target's row of the timeline."""

    stop: Stop
    icon: str
    status: Status
    marks: list[Mark]
    wait: tuple[float, float] | None
    took: float | None


class Answer(NamedTuple):
    """The sentence that answers "did it arrive?", why not, and for which target."""

    kind: str
    headline: str
    stop: Stop | None


@needs("rules.view_rule")
def event_journey(request: HttpRequest, seq: int) -> HttpResponse:
    """`?target=` and `?attempt=` pick what is shown beside the timeline; `?view=table` shows it as a table."""
    found = journey.of(seq)
    if found is None:
        return render(request, "delivery/no_event.html", {"seq": seq}, status=404)
    whole = found
    found = journey_for(request.user, whole)
    answer = _answer(found)
    chosen = _chosen(found, request.GET.get("target", ""), answer)
    axis = _Axis(found)
    told = {line.type for line in found.story} | {found.event.type}
    stops = [axis.line(stop) for stop in found.stops]
    as_table = request.GET.get("view") == "table"
    context: dict[str, Any] = {
        "journey": found,
        "event": found.event,
        "event_text": found.event.raw,
        "domains": lines.domains_of(told),
        "delay": _delay(found),
        "answer": answer,
        "ticks": axis.ticks,
        "stops": stops,
        "as_table": as_table,
        "tries": tries([(line.stop, line.status) for line in stops], found.event.received_at)
        if as_table
        else (),
        "chosen": chosen,
        "story": found.story,
        "alike": _alike(answer),
        "blocker": _blocker(found, answer.stop),
    }
    if chosen is not None:
        context |= _sent(found, chosen, request.GET.get("attempt", ""))
        if chosen.state == "dead" and context["attempt"] in (None, chosen.last):
            revision = chosen.last.revision if chosen.last is not None else 0
            context["kept"] = kept_request(
                chosen.target_id, seq, found.event.raw, chosen.target, revision, hidden=found is not whole
            )
    return render(request, "delivery/journey.html", context)


@needs("rules.view_rule")
@require_safe
def raw_event(request: HttpRequest, seq: int) -> HttpResponse:
    """The whole event as it is stored, without personal fields the person may not see, to be saved: application/cloudevents+json."""
    found = events.at(seq)
    if found is None:
        return render(request, "delivery/no_event.html", {"seq": seq}, status=404)
    text = shown_to(request.user, found.type, found.raw).text
    answer = HttpResponse(text, content_type="application/cloudevents+json")
    answer["Content-Disposition"] = f'attachment; filename="event-{seq}.json"'
    return answer


class _Axis:
    """Time since the event was received on a log scale that just holds what happened, 20 minutes at least."""

    def __init__(self, found: Journey) -> None:
        self.start = found.event.received_at
        ends = [attempt.at + attempt.took for stop in found.stops for attempt in stop.attempts]
        longest = max(*(((end - self.start) / 1000) for end in ends), 20 * 60_000) if ends else 20 * 60_000.0
        self.scale = 1000 / (math.log10(longest) + 0.03)
        self.ticks = [
            (f"{self.at(tick * 1000) / 10:.1f}%", self.at(tick * 1000), words.duration(tick))
            for tick in TICKS
            if self.at(tick * 1000) < 960
        ]

    def at(self, microseconds: float) -> float:
        """Where that long after the start lies, 0 to 1000."""
        return min(math.log10(max(microseconds / 1000, 1)) * self.scale, 1000)

    def line(self, stop: Stop) -> StopLine:
        marks = []
        for attempt in stop.attempts:
            begin = self.at(attempt.at - self.start)
            width = max(self.at(attempt.at + attempt.took - self.start) - begin, 14)
            marks.append(Mark(status.of_attempt(attempt).kind, min(begin, 986), width))
        wait = (marks[0].x, marks[-1].x) if len(marks) > 1 else None
        last = stop.last
        took = (last.at + last.took - self.start) / 1000 if last else None
        return StopLine(stop, registry.icon_of(stop.connector), _stop_status(stop), marks, wait, took)


def _stop_status(stop: Stop) -> Status:
    count = len(stop.attempts)
    if stop.state == "delivered":
        answer = status.of_attempt(stop.attempts[-1]).word if stop.attempts else _("taken")
        nth = ngettext("%(n)s try", "%(n)s tries", count) % {"n": count}
        if stop.redriven:
            nth = _("%(tries)s, redriven") % {"tries": nth}
        return Status("ok", f"{answer}, {nth}" if count > 1 else answer)
    words_ = {
        "dead": ("bad", _("gave up")),
        "discarded": ("idle", _("discarded")),
        "retrying": ("warn", _("tried again")),
        "behind": ("warn", _("waits behind")),
        "queued": ("busy", _("on its way")),
        "paused": ("idle", _("paused")),
        "stopped": ("bad", _("stopped")),
        "deleted": ("idle", _("deleted since")),
    }
    return Status(*words_[stop.state])


def _answer(found: Journey) -> Answer:
    stops = [stop for stop in found.stops if stop.state != "deleted"]
    if not stops:
        if found.took:
            return Answer("idle", _("A rule took it, and that rule has no target."), None)
        headline = ngettext(
            "Nobody took it. %(n)s rule looked at it.",
            "Nobody took it. %(n)s rules looked at it.",
            found.looked,
        ) % {"n": found.looked}
        return Answer("idle", headline if found.looked else _("Nobody listens on this bus yet."), None)
    worst = next((stop for kind in _ORDER for stop in stops if stop.state == kind), None)
    count, reached = len(stops), found.delivered
    if worst is None:
        headline = ngettext("It reached its one listener.", "It reached all %(n)s listeners.", count) % {
            "n": count
        }
        return Answer("ok", headline, None)
    reach = _("It reached %(some)s of %(all)s listeners.") % {"some": reached, "all": count}
    tries = len(worst.attempts)
    sentences = {
        "dead": _("It expired before %(target)s could take it.")
        if worst.expired
        else _("%(target)s refused it.")
        if worst.answered
        else ngettext(
            "Given up after %(n)s try: %(target)s did not answer.",
            "Given up after %(n)s tries: %(target)s did not answer.",
            tries,
        ),
        "stopped": _("%(target)s has stopped."),
        "retrying": _("%(target)s has not taken it yet; it is tried again."),
        "behind": _("At %(target)s it waits behind an earlier event of its subject."),
        "paused": _("%(target)s is paused."),
        "queued": _("It is on its way to %(target)s."),
        "discarded": _("A person discarded it for %(target)s."),
    }
    kinds = {"dead": "bad", "stopped": "bad", "retrying": "warn", "behind": "warn", "queued": "busy"}
    return Answer(
        kinds.get(worst.state, "idle"),
        f"{reach} {sentences[worst.state] % {'target': worst.name, 'n': tries}}",
        worst,
    )


_ORDER = ("dead", "stopped", "retrying", "behind", "paused", "queued", "discarded")


def _chosen(found: Journey, wanted: str, answer: Answer) -> Stop | None:
    for stop in found.stops:
        if str(stop.target_id) == wanted:
            return stop
    return answer.stop or (found.stops[0] if found.stops else None)


def _blocker(found: Journey, stop: Stop | None) -> blocking.Blocker | None:
    """What the event waits behind at that target."""
    if stop is None or stop.state != "behind" or stop.target is None:
        return None
    return blocking.of_event(stop.target_id, stop.target.order, found.event.key, found.event.seq)


def _alike(answer: Answer) -> int:
    """How many other events met the same end at that target."""
    if answer.stop is None or answer.stop.state != "dead":
        return 0
    groups = listing.groups(Chosen(target=answer.stop.target_id))
    # A status in the reason may be the answer's or a number in its text: both are looked for.
    causes = {
        cause_of(answer.stop.reason or "", status)
        for status in (None, answer.stop.last.status if answer.stop.last else None)
    }
    return next((group.size - 1 for group in groups if group.cause in causes), 0)


def _sent(found: Journey, stop: Stop, wanted: str) -> dict[str, Any]:
    """The chosen attempt (the last one), what was sent and what was answered."""
    number = int(wanted) if wanted.isdecimal() else 0
    attempt: Attempt | None = next((one for one in stop.attempts if one.number == number), stop.last)
    settings: TargetRevision | Target | None = None
    if attempt is not None:
        settings = TargetRevision.objects.filter(target_id=stop.target_id, number=attempt.revision).first()
    settings = settings or stop.target
    context: dict[str, Any] = {"attempt": attempt, "attempts": stop.attempts[-8:]}
    sent_at = (attempt.number, attempt.at // 1_000_000) if attempt is not None else None
    if settings is not None:
        identity = delivery_id(stop.target_id, found.event.seq)
        context["sent"] = outgoing(
            settings.connector,
            settings.config,
            settings.transform,
            found.event.raw,
            identity,
            attempt=sent_at,
        )
    if attempt is not None:
        context["attempt_status"] = status.of_attempt(attempt)
        context["phases"] = _phases(attempt)
        context["attempt_words"] = _phrase(attempt) or context["attempt_status"].word
    return context


def _phases(attempt: Attempt) -> list[tuple[str, float]]:
    """What the attempt's time went into, in milliseconds, in the order it happened; empty when nobody timed it.

    Its phases do not add up to the whole: the rest is reading the answer, and waiting for a free connection.
    """
    names = (_("name lookup"), _("connect"), _("TLS"), _("first byte"))
    timed = [
        (name, took / 1000) for name, took in zip(names, attempt.phases, strict=True) if took is not None
    ]
    return [*timed, (_("whole"), attempt.milliseconds)] if timed else []


def _phrase(attempt: Attempt) -> str:
    """The answer as HTTP words it: 422 Unprocessable Content."""
    if not attempt.status or not HTTPStatus.CONTINUE <= attempt.status < 600:
        return ""
    try:
        return f"{attempt.status} {HTTPStatus(attempt.status).phrase}"
    except ValueError:
        return str(attempt.status)


def _delay(found: Journey) -> float | None:
    """Milliseconds from the event's own time to when it was received; None when it carries none or a later one."""
    if not found.event.time:
        return None
    try:
        happened = datetime.fromisoformat(found.event.time.replace("z", "Z"))
    except ValueError:
        return None
    happened = happened if happened.tzinfo else happened.replace(tzinfo=UTC)
    delay = found.event.received_at / 1000 - happened.timestamp() * 1000
    return delay if delay >= 0 else None
