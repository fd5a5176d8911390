"""Dead letters: found by a filter, grouped by cause, redriven or discarded."""

from __future__ import annotations

from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from catalog.access import needs
from catalog.personal import hidden_from, shown_to
from delivery.deadletters import asking, listing
from delivery.deadletters import chosen as choosing
from delivery.deadletters.chosen import Chosen, Letter
from delivery.models import LetterJob
from delivery.pages import lines
from delivery.pages.dead_letter_filter import DeadLetterFilter, query_of
from delivery.pages.kept_request import kept_request
from delivery.pages.veil import answer_hidden, groups_for, letters_for, searched_by
from delivery.tracking import events, overtaken
from delivery.tracking.overtaken import Overtaken
from delivery.tracking.read import now
from rules.models import Target

SHOWN_GROUPS, SHOWN_LETTERS, ON_PAGE, SHOWN_JOBS = 30, 5, 50, 5
# Chosen dead letters that a dialog looks at for its sentence.
LOOKED_AT = 500


@needs("rules.view_target")
def dead_letters(request: HttpRequest) -> HttpResponse:
    """Grouped by cause; with `?view=list`, or a group, one by one. The rest of the query is the filter."""
    form = DeadLetterFilter(request.GET)
    chosen = searched_by(request.user, form.chosen())
    one_by_one = request.GET.get("view") == "list" or bool(chosen.cause)
    context: dict[str, Any] = {
        "form": form,
        "chosen": chosen,
        "filters": urlencode(query_of(request.GET)),
        "all_query": urlencode({**query_of(request.GET), "all": "1"}),
        "narrowed": form.chosen() != Chosen(),
        "one_by_one": one_by_one,
        "target": Target.objects.filter(pk=chosen.target).first() if chosen.target is not None else None,
        "jobs": _jobs(),
        "has_any": True,
    }
    context |= _listed(request, chosen) if one_by_one else _grouped(request, chosen)
    context["has_any"] = bool(context["total"]) or listing.count() > 0
    return render(request, "delivery/dead_letters.html", context)


@needs("rules.view_target")
@require_GET
def dead_letter(request: HttpRequest, target: int, seq: int) -> HttpResponse:
    """One dead letter: why, what was sent and is kept, what would be sent now."""
    letters = list(choosing.newest(Chosen(letters=((target, seq),)))) if max(target, seq) < 2**63 else []
    if not letters:
        raise Http404("no such dead letter")
    at = Target.objects.filter(pk=target).first()
    [letter] = letters_for(request.user, letters)
    raw, answer = listing.content_of(letter)
    event = shown_to(request.user, letter.type, raw)
    hidden = letter.type in hidden_from(request.user, [letter.type])
    context = {
        "letter": letter,
        "at": at,
        "answer": answer and answer_hidden() if hidden else answer,
        "kept": kept_request(target, seq, event.text.encode(), at, hidden=hidden),
    }
    return render(request, "delivery/dead_letter.html", context)


def _grouped(request: HttpRequest, chosen: Chosen) -> dict[str, Any]:
    given = query_of(request.GET)
    groups = listing.groups(chosen)
    shown = groups_for(request.user, groups[:SHOWN_GROUPS])
    targets = {
        one.pk: one
        for one in Target.objects.filter(pk__in={group.target for group in shown}).select_related("rule")
    }
    behind = listing.behind(sorted(targets))
    letters = {
        group: letters_for(
            request.user,
            list(
                islice(choosing.newest(_of_group(chosen, group), looked_at=listing.LOOKED_AT), SHOWN_LETTERS)
            ),
        )
        for group in shown
    }
    told = _told([letter for found in letters.values() for letter in found])
    return {
        "groups": [
            {
                "group": group,
                "target": targets.get(group.target),
                "query": urlencode({**given, "target": group.target, "group": group.id}),
                "behind": behind.get(group.target, 0),
                "redrive_id": f"redrive-{group.target}-{group.id}",
                "discard_id": f"discard-{group.target}-{group.id}",
                "letters": [(letter, told.get(letter.seq)) for letter in letters[group]],
            }
            for group in shown
        ],
        "total": sum(group.size for group in groups),
        "more_groups": len(groups) - len(shown),
    }


def _listed(request: HttpRequest, chosen: Chosen) -> dict[str, Any]:
    found, following = choosing.page(chosen, _below(request.GET.get("before", "")), ON_PAGE)
    total, exact = choosing.count(chosen)
    found = letters_for(request.user, found)
    told = _told(found)
    targets = {one.pk: one for one in Target.objects.filter(pk__in={letter.target for letter in found})}
    group = next(iter(groups_for(request.user, listing.groups(chosen))), None) if chosen.cause else None
    return {
        "letters": [(letter, told.get(letter.seq), targets.get(letter.target)) for letter in found],
        "total": total,
        "exact": exact,
        "group": group,
        "next": "-".join(map(str, following)) if following is not None else "",
        "paged": bool(request.GET.get("before")),
    }


def _of_group(chosen: Chosen, group: listing.Group) -> Chosen:
    return Chosen.of({**chosen.values(), "target": group.target, "cause": group.id})


def _told(letters: list[Letter]) -> dict[int, Any]:
    seqs = sorted({letter.seq for letter in letters})
    return {line.event.seq: line for line in lines.of_events(events.headlines_of(seqs))}


def _below(text: str) -> tuple[int, int] | None:
    seq, _dash, target = text.partition("-")
    return (int(seq), int(target)) if seq.isdecimal() and target.isdecimal() and len(text) < 40 else None


def _jobs() -> list[LetterJob]:
    """What is under way, and what can still be taken back."""
    recent = LetterJob.objects.filter(asked_at__gte=now() - 3_600_000_000)[:SHOWN_JOBS]
    return list(LetterJob.objects.filter(ended_at=None)[:SHOWN_JOBS]) or [
        job for job in recent if undoable(job)
    ]


def undoable(job: LetterJob) -> bool:
    """Whether a person can still stop it, or take it back."""
    if job.ended_at is None:
        return True
    return (
        job.kind == LetterJob.Kind.DISCARD
        and job.ended == LetterJob.Ended.DONE
        and now() - job.asked_at < asking.UNDO
    )


@needs("rules.view_target")
@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """What is under way: the page asks for this part again and again while something is."""
    return render(request, "delivery/dead_letter_jobs.html", {"jobs": _jobs()})


@needs("rules.change_target")
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Stops a job where it got, or takes back a discard that was not carried out yet."""
    job = get_object_or_404(LetterJob, pk=pk)
    kept = asking.undo(job)
    if kept:
        messages.success(
            request,
            ngettext("%(n)s dead letter stays as it is.", "%(n)s dead letters stay as they are.", kept)
            % {"n": kept},
        )
    else:
        messages.info(request, _("Too late: it is done."))
    return redirect("dead-letters")


@needs("rules.change_target")
@require_GET
def later(request: HttpRequest) -> HttpResponse:
    """Sentences for the dialog of `redrive`, chosen alike: what these would come after, and what they would overtake."""
    chosen = _chosen(request.user, request.GET)
    letters, more = choosing.in_order(chosen, (0, 0), LOOKED_AT)
    targets = {one.pk: one for one in Target.objects.filter(pk__in={letter.target for letter in letters})}
    found = Overtaken(
        0, more is None or (chosen.target is not None and chosen == Chosen(target=chosen.target))
    )
    for pk, target in targets.items():
        whole = chosen == Chosen(target=pk)
        seqs = None if whole else [letter.seq for letter in letters if letter.target == pk]
        one = overtaken.by_later(pk, target.order, seqs)
        found = Overtaken(found.number + one.number, found.exact and one.exact)
    context = {
        "later": found,
        "order_all": any(target.order == "all" for target in targets.values()),
        "earlier": choosing.earlier_left(letters),
        "form_id": request.GET.get("form", "")[:80],
    }
    return render(request, "delivery/later.html", context)


@needs("rules.change_target")
@require_POST
def redrive(request: HttpRequest) -> HttpResponse:
    """Sends dead letters again: those ticked (`letter`, "target-seq"), else those that the query chooses, `seq` for one."""
    chosen = _chosen(request.user, request.GET, request.POST.getlist("letter"))
    if "out_of_order" not in request.POST:
        letters, _more = choosing.in_order(chosen, (0, 0), LOOKED_AT)
        if earlier := choosing.earlier_left(letters):
            context = {
                "earlier": earlier,
                "n": len(letters),
                "letters": chosen.letters,
                "query": request.GET.urlencode(),
            }
            return render(request, "delivery/redrive_early.html", context)
    try:
        job = asking.ask(LetterJob.Kind.REDRIVE, chosen, request.user)
    except asking.NothingChosen:
        messages.info(
            request, _("Nothing is left of what you chose: it was redriven or discarded meanwhile.")
        )
    else:
        messages.success(request, _said(job))
    return redirect(_back(request, chosen))


@needs("rules.change_target")
@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Drops dead letters for good, for the `reason` given; chosen as for `redrive`."""
    chosen = _chosen(request.user, request.GET, request.POST.getlist("letter"))
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Say why they are discarded: it is kept with each of them."))
        return redirect(_back(request, chosen))
    try:
        job = asking.ask(LetterJob.Kind.DISCARD, chosen, request.user, reason)
    except asking.NothingChosen:
        messages.info(
            request, _("Nothing is left of what you chose: it was redriven or discarded meanwhile.")
        )
    else:
        messages.success(request, _said(job))
    return redirect(_back(request, chosen))


def _said(job: LetterJob) -> str:
    if job.ended_at is None:
        return _("%(n)s events are a job: it goes on by itself, and its progress is shown here.") % {
            "n": job.total
        }
    if job.kind == LetterJob.Kind.DISCARD:
        return ngettext(
            "%(n)s dead letter is discarded in 10 seconds.",
            "%(n)s dead letters are discarded in 10 seconds.",
            job.done,
        ) % {"n": job.done}
    return ngettext("%(n)s event goes out again.", "%(n)s events go out again.", job.done) % {"n": job.done}


def _chosen(user: Any, query: QueryDict, ticked: list[str] | None = None) -> Chosen:
    """The dead letters a request is about. Raises Http404 where nothing is named: nothing is done to all by mistake."""
    letters = [one for one in map(_letter, ticked or []) if one is not None]
    if letters:
        return Chosen(letters=tuple(letters))
    target, seq = query.get("target", ""), query.get("seq", "")
    if seq.isdecimal() and target.isdecimal():
        return Chosen(letters=((int(target), int(seq)),))
    form = DeadLetterFilter(query)
    chosen = searched_by(user, form.chosen())
    if not form.is_valid() or seq or (chosen == Chosen() and query.get("all") != "1"):
        raise Http404("nothing chosen")
    return chosen


def _letter(text: str) -> tuple[int, int] | None:
    target, _dash, seq = text.partition("-")
    return (int(target), int(seq)) if target.isdecimal() and seq.isdecimal() and len(text) < 40 else None


def _back(request: HttpRequest, chosen: Chosen) -> str:
    place, seq, target = (request.GET.get(name, "") for name in ("from", "seq", "target"))
    if place == "journey" and seq.isdecimal():
        return f"{reverse('journey', args=[int(seq)])}?target={target}"
    if place == "target" and target.isdecimal():
        return reverse("target", args=[int(target)])
    query = {name: value for name, value in query_of(request.GET).items() if name != "group"}
    return f"{reverse('dead-letters')}{'?' + urlencode(query) if query else ''}"
