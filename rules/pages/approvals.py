"""Approvals of personal data: what owners are asked, what they decided, and who receives it without; asking from a rule."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from catalog import approvals as answers
from catalog.access import needs
from catalog.approvals import LONGEST
from catalog.models import Approval, EventType, Team
from catalog.ownership import owned_teams, refusal
from rules import personal
from rules.approving import affected
from rules.models import Rule, Target
from rules.pages.approval_part import REASON

PAGE, SHOWN, TYPES = 50, 200, 500


@needs("catalog.view_eventtype")
def approvals(request: HttpRequest) -> HttpResponse:
    """For owners: who asks, who receives personal data without an approval, what was decided. For all: what they asked."""
    return _page(request)


def _page(request: HttpRequest, wrong: dict[int, str] | None = None, status: int = 200) -> HttpResponse:
    teams = owned_teams(request.user, answers.DECIDES)
    listed = Approval.objects.select_related(
        "event_type__domain", "event_type__team", "team", "asked_by", "decided_by"
    )
    asked = list(
        answers.to_decide(request.user).select_related("event_type__domain", "team", "asked_by")[:SHOWN]
    )
    done = listed.filter(event_type__team__in=teams).exclude(state=Approval.State.ASKED)
    marked = list(
        EventType.objects.filter(team__in=teams)
        .exclude(personal=[])
        .select_related("domain", "team")
        .order_by("name")[:TYPES]
    )
    received = personal.receivers(marked)
    without = [
        one
        for one in received
        if (one.approval is None or one.approval.state != Approval.State.GRANTED)
        and one.target.state != Target.State.PAUSED
    ]
    uses = {
        one.pk: [r for r in received if r.approval is not None and r.approval.pk == one.pk] for one in asked
    }
    page = Paginator(done.order_by("-decided_at", "-id"), PAGE).get_page(request.GET.get("page"))
    mine = listed.filter(team__in=Team.objects.filter(members=request.user.pk)).order_by("-asked_at")[:PAGE]
    context: dict[str, Any] = {
        "asked": [(one, uses[one.pk], (wrong or {}).get(one.pk, "")) for one in asked],
        "without": without[:SHOWN],
        "more_without": max(0, len(without) - SHOWN),
        "page": page,
        "mine": mine,
        "owns": bool(marked) or bool(asked) or page.paginator.count > 0,
        "wrong": wrong or {},
    }
    return render(request, "rules/approvals.html", context, status=status)


@needs("catalog.view_eventtype")
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """An owner's answer: `do` is grant or refuse, `answer` what the team is told. Refusing takes back what was granted."""
    found = get_object_or_404(Approval.objects.select_related("event_type__team", "team"), pk=pk)
    if why := refusal(request.user, found.event_type.team, answers.DECIDES):
        messages.error(request, why)
        return _page(request, status=403)
    granted, answer = request.POST.get("do") == "grant", request.POST.get("answer", "").strip()[:LONGEST]
    if not granted and not answer:
        return _page(request, {found.pk: _("Say why not, so that they know what to do.")}, status=422)
    ends = [] if granted else affected(found)
    answers.decide(found, granted, answer, request.user)
    said = {"team": found.team.name, "type": found.event_type.name}
    if granted:
        messages.success(request, _("%(team)s may receive the personal data of %(type)s.") % said)
    else:
        paused = ngettext("%(n)s target is paused.", "%(n)s targets are paused.", len(ends)) % {
            "n": len(ends)
        }
        told = _("%(team)s does not receive the personal data of %(type)s.") % said
        messages.success(request, f"{told} {paused}" if ends else told)
    return redirect("approvals")


@needs("catalog.view_eventtype")
@require_POST
def refuse(request: HttpRequest, name: str, slug: str) -> HttpResponse:
    """An owner ends what the team `slug` is sent of the type `name` without having asked; `answer` is what it is told."""
    kind = get_object_or_404(EventType.objects.select_related("team"), name=name)
    team = get_object_or_404(Team, slug=slug)
    answer = request.POST.get("answer", "").strip()[:LONGEST]
    if why := refusal(request.user, kind.team, answers.DECIDES):
        messages.error(request, why)
        return _page(request, status=403)
    if not answer:
        messages.error(request, _("Nothing is refused. Say why not, so that they know what to do."))
        return _page(request, status=422)
    answers.refuse_unasked(kind, team, answer, request.user)
    said = _("%(team)s does not receive the personal data of %(type)s any more.")
    messages.success(request, said % {"team": team.name, "type": kind.name})
    return redirect("approvals")


@needs("rules.change_rule")
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks the owners of what a saved rule's team may not receive yet; `approval-reason` says what for."""
    rule = get_object_or_404(Rule.objects.select_related("team"), pk=pk)
    reason = request.POST.get(REASON, "").strip()[:LONGEST]
    wanted = [one for one in personal.claims_of(rule) if not one.is_allowed]
    if not reason:
        messages.error(request, _("Not asked. Say what for: the owner decides by it."))
    elif not wanted:
        messages.success(request, _("Nothing is left to ask for."))
    else:
        for claim in wanted:
            answers.ask(claim.event_type, claim.team, reason, request.user)
        owners = ", ".join(dict.fromkeys(claim.event_type.team.name for claim in wanted))
        messages.success(
            request, _("Asked: %(owners)s. The answer is shown on this page.") % {"owners": owners}
        )
    return redirect("rule", pk)
