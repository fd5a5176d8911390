"""Dead letters, grouped by target and reason: look, redrive, discard."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from catalog.access import needs
from delivery.pages import lines
from delivery.runner import deadletters as runner
from delivery.tracking import deadletters, events, overtaken
from delivery.tracking.deadletters import Group
from rules.models import Target

SHOWN_GROUPS, SHOWN_LETTERS, ONE_GROUP = 30, 5, 100


def group_id(reason: str) -> str:
    """A short name for a reason, for URLs."""
    return hashlib.blake2b(reason.encode(), digest_size=6).hexdigest()


@needs("rules.view_target")
def dead_letters(request: HttpRequest) -> HttpResponse:
    """`?target=` shows one target's, `&group=` one reason's."""
    chosen = request.GET.get("target", "")
    target = Target.objects.filter(pk=int(chosen)).first() if chosen.isdecimal() else None
    groups = deadletters.groups(target.pk if target else None)
    total = sum(group.size for group in groups)
    wanted = request.GET.get("group", "")
    shown = [group for group in groups if not wanted or group_id(group.reason) == wanted][:SHOWN_GROUPS]
    limit = ONE_GROUP if wanted else SHOWN_LETTERS
    targets = {
        one.pk: one
        for one in Target.objects.filter(pk__in={group.target for group in shown}).select_related("rule")
    }
    letters = {group: deadletters.newest(group.target, group.reason, limit) for group in shown}
    seqs = sorted({letter.seq for listed in letters.values() for letter in listed})
    told = {line.event.seq: line for line in lines.of_events(events.headlines_of(seqs))}
    context = {
        "groups": [
            (
                group,
                targets.get(group.target),
                group_id(group.reason),
                urlencode({"target": group.target, "group": group_id(group.reason)}),
                [
                    (
                        letter,
                        told.get(letter.seq),
                        urlencode({"target": letter.target, "seq": letter.seq}),
                        f"redrive-{letter.target}-{letter.seq}",
                    )
                    for letter in letters[group]
                ],
            )
            for group in shown
        ],
        "total": total,
        "more_groups": len(groups) - len(shown) if not wanted else 0,
        "target": target,
        "query": urlencode({"target": target.pk, "from": "list"}) if target else "",
        "wanted": wanted,
    }
    return render(request, "delivery/dead_letters.html", context)


@needs("rules.change_target")
@require_GET
def later(request: HttpRequest) -> HttpResponse:
    """A sentence for the dialog of `redrive`, chosen alike: how many later events these would come after."""
    target, seqs = _chosen(request)
    found = overtaken.by_later(target.pk, target.order, seqs)
    return render(
        request, "delivery/later.html", {"target": target, "later": found, "one": seqs and len(seqs) == 1}
    )


@needs("rules.change_target")
@require_POST
def redrive(request: HttpRequest) -> HttpResponse:
    """Sends dead letters again: `?target=` with `seq` (one), `group` (one reason) or neither (all of the target)."""
    target, seqs = _chosen(request)
    count = runner.redrive(target.pk, seqs)
    messages.success(
        request,
        ngettext("%(n)s event goes to %(target)s again.", "%(n)s events go to %(target)s again.", count)
        % {"n": count, "target": target.name},
    )
    return redirect(_back(request, target))


@needs("rules.change_target")
@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Drops dead letters for good; chosen as for `redrive`."""
    target, seqs = _chosen(request)
    reason = _("by %(who)s") % {"who": request.user.get_username()}
    count = runner.discard(target.pk, seqs, reason)
    messages.success(
        request,
        ngettext("%(n)s dead letter is discarded.", "%(n)s dead letters are discarded.", count)
        % {"n": count},
    )
    return redirect(_back(request, target))


def _chosen(request: HttpRequest) -> tuple[Target, list[int] | None]:
    pk, seq, group = (request.GET.get(name, "") for name in ("target", "seq", "group"))
    if not pk.isdecimal():
        raise Http404("no target")
    target = get_object_or_404(Target, pk=int(pk))
    if seq.isdecimal():
        return target, [int(seq)]
    if not group:
        return target, None
    found: Group | None = next(
        (one for one in deadletters.groups(target.pk) if group_id(one.reason) == group), None
    )
    return target, deadletters.seqs_with(target.pk, found.reason) if found else []


def _back(request: HttpRequest, target: Target) -> str:
    seq = request.GET.get("seq", "")
    if request.GET.get("from") == "journey" and seq.isdecimal():
        return f"{reverse('journey', args=[int(seq)])}?target={target.pk}"
    if request.GET.get("from") == "target":
        return reverse("target", args=[target.pk])
    return reverse("dead-letters")
