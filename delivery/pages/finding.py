"""The page that finds events: by the id or subject that a person was given, or by what is known of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from catalog.access import needs
from catalog.personal import hidden_from, shown_to
from delivery.pages import lines
from delivery.pages.event_filter import EventFilter
from delivery.pages.lines import EventLine
from delivery.tracking import events, subjects
from delivery.tracking.events import Headline
from delivery.tracking.read import marks, moment, rows
from delivery.tracking.search import Found, search, written
from delivery.tracking.status import Status
from delivery.tracking.words import State
from rules.models import Target

PAGE = 50
# Stretches of the log that a page looks through by itself, one after the other, before somebody must ask for more.
BY_ITSELF = 20
# Letters around a text that was found.
AROUND = 48
# Events about one subject among which the rest of a filter chooses.
ABOUT = 200


class Snippet(NamedTuple):
    """Where a text stands in an event."""

    before: str
    text: str
    after: str


class FoundLine(NamedTuple):
    """An event that was found; `standing`: the targets that have not taken it yet, or will not, and how it stands there."""

    line: EventLine
    snippet: Snippet | None
    standing: list[tuple[str, int, Status]]


@needs("rules.view_target")
def find(request: HttpRequest) -> HttpResponse:
    """`?q=` an event's id, number or subject: leads to its journey, or lists those that share it, newest first.

    With a field of the filter, or with nothing at all: a list of what fits, `?before=` a seq for what is older.
    """
    form = EventFilter(request.GET)
    valid = form.is_valid()
    query = request.GET.get("q", "").strip()
    context: dict[str, Any] = {"form": form, "query": query, "narrowed": form.narrowed}
    if query and not form.narrowed:
        found = events.find(query)
        by_subject = not found
        if by_subject:
            found = subjects.find(query)
        if len(found) == 1:
            return redirect("journey", found[0].seq)
        context |= {"found": _lines(request.user, found, ""), "by_subject": by_subject}
    elif valid:
        answer = _search(request, form, query)
        steps = _number(request.GET.get("steps"))
        context |= {
            "found": _lines(request.user, answer.events, form.cleaned_data["text"]),
            "listed": True,
            "answer": answer,
            "back_to": _received(answer.down_to),
            "steps": steps + 1,
            "goes_on": form.narrowed and steps < BY_ITSELF,
            "paged": bool(request.GET.get("before")),
        }
    return render(request, "delivery/find.html", context)


def _search(request: HttpRequest, form: EventFilter, query: str) -> Found:
    wanted = form.wanted()
    if query:
        named = events.find(query) or subjects.find(query, ABOUT)
        wanted = wanted._replace(seqs=tuple(line.seq for line in named))

    def keep(found: list[Headline]) -> list[Headline]:
        return _shown_with(request.user, found, wanted.text) if wanted.text else found

    return search(wanted, _number(request.GET.get("before")) or None, PAGE, keep)


def _shown_with(user: Any, found: list[Headline], text: str) -> list[Headline]:
    """Those in which `user` may see the text: it must not tell of personal fields whether they hold it."""
    hidden = hidden_from(user, {line.type for line in found})
    veiled = _texts(user, [line for line in found if line.type in hidden])
    return [line for line in found if line.type not in hidden or _place(veiled.get(line.seq, ""), text)]


def _texts(user: Any, found: Sequence[Headline]) -> dict[int, str]:
    """The events as JSON, without what `user` may not see, by seq."""
    types = {line.seq: line.type for line in found}
    raws = rows(f"SELECT seq, raw FROM log_event WHERE seq IN ({marks(found)})", list(types)) if found else []
    return {int(seq): shown_to(user, types[seq], bytes(raw)).text for seq, raw in raws}


def _lines(user: Any, found: Sequence[Headline], text: str) -> list[FoundLine]:
    standing = _standing([line.seq for line in found])
    shown = _texts(user, found) if text else {}
    return [
        FoundLine(line, _snippet(shown.get(line.event.seq, ""), text), standing.get(line.event.seq, []))
        for line in lines.of_events(found)
    ]


def _standing(seqs: Sequence[int]) -> Mapping[int, list[tuple[str, int, Status]]]:
    """Of events that are exceptions somewhere: target, its key, and the state there."""
    found: dict[int, list[tuple[str, int, Status]]] = defaultdict(list)
    states = [int(state) for state in State]
    held = rows(
        f"SELECT seq, target, state FROM runner_exception WHERE state IN ({marks(states)}) AND seq IN ({marks(seqs)})",
        [*states, *seqs],
    )
    names = dict(Target.objects.filter(pk__in={target for _, target, _ in held}).values_list("pk", "name"))
    for seq, target, state in held:
        found[seq].append((names.get(target, f"#{target}"), target, _status(State(state))))
    return found


def _status(state: State) -> Status:
    return {
        State.WAITING: Status("idle", _("waits")),
        State.RETRY: Status("warn", _("tried again")),
        State.DEAD: Status("bad", _("dead letter")),
        State.DISCARD: Status("idle", _("discarded")),
    }[state]


def _place(event: str, text: str) -> tuple[int, int] | None:
    """Where `text` begins and ends in `event`, whatever its case and however JSON writes it."""
    lowered = event.lower()
    for way in written(text):
        at = lowered.find(way.lower())
        if at >= 0:
            return at, at + len(way)
    return None


def _snippet(event: str, text: str) -> Snippet | None:
    place = _place(event, text) if text else None
    if place is None:
        return None
    begin, end = place
    before = ("…" if begin > AROUND else "") + event[max(0, begin - AROUND) : begin]
    after = event[end : end + AROUND] + ("…" if end + AROUND < len(event) else "")
    return Snippet(before, event[begin:end], after)


def _received(seq: int) -> Any:
    """When the event with that seq, or the next one that is kept, was received; None for 0."""
    if not seq:
        return None
    found = rows("SELECT received_at FROM log_event WHERE seq >= %s ORDER BY seq LIMIT 1", [seq])
    return moment(int(found[0][0])) if found else None


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0
