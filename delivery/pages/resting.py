"""Targets at rest: paused and resumed, one or several at once, a breaker's probe, and how long what waits is kept."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.audit import recording
from catalog.audit.kinds import Action
from catalog.display import words
from delivery.runner.gating import probe_now
from delivery.tracking.read import now
from delivery.tracking.waiting import Waiting
from rules import revisions
from rules.models import Target
from rules.personal import NotApproved

DAY = 86_400_000_000
AT_ONCE = 200


class Kept(NamedTuple):
    """The retention clock of what waits: when the oldest waiting event came, and until when its bus keeps it.

    Microseconds since 1970. `over`: `until` has passed, and the bus keeps it, and all after it, for this target alone, up
    to `ends`, when `limit` days are over: then it becomes a dead letter.
    """

    oldest: int
    until: int
    days: int
    over: bool
    ends: int
    limit: int


def kept_for(target: Target, owes: Waiting) -> Kept | None:
    """How long what waits for `target` is kept; None when nothing does."""
    if owes.oldest is None:
        return None
    bus = target.rule.bus
    days, limit = bus.retention_days, bus.hard_limit_days
    until = owes.oldest + days * DAY
    return Kept(owes.oldest, until, days, until <= now(), owes.oldest + limit * DAY, limit)


@needs("rules.change_target")
@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Pauses a target; its events wait."""
    _pause(get_object_or_404(Target, pk=pk), request)
    messages.success(request, _("Paused. Its events wait and lose nothing."))
    return redirect("target", pk)


@needs("rules.change_target")
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets a target that is paused, stopped or disabled run again; it begins with what has waited."""
    try:
        revisions.set_state(get_object_or_404(Target, pk=pk), Target.State.RUNNING)
    except NotApproved as error:
        messages.error(request, _("It stays paused. %(why)s") % {"why": error})
    else:
        messages.success(request, _("Running. It begins with what has waited."))
    return redirect("target", pk)


@needs("rules.change_target")
@require_POST
def pause_several(request: HttpRequest) -> HttpResponse:
    """Pauses those of the chosen targets that run."""
    found = _chosen(request).filter(state=Target.State.RUNNING)
    for target in found:
        _pause(target, request)
    said = ngettext("%(n)s target is paused.", "%(n)s targets are paused.", len(found))
    waiting = _("Their events wait and lose nothing.")
    messages.success(request, f"{said % {'n': words.number(len(found))}} {waiting}")
    return _back(request)


@needs("rules.change_target")
@require_POST
def resume_several(request: HttpRequest) -> HttpResponse:
    """Lets those of the chosen targets run again that are paused, stopped or disabled."""
    resumed = 0
    for target in _chosen(request).exclude(state=Target.State.RUNNING):
        try:
            revisions.set_state(target, Target.State.RUNNING)
        except NotApproved as error:
            messages.error(
                request, _("%(target)s stays as it is. %(why)s") % {"target": target.name, "why": error}
            )
        else:
            resumed += 1
    said = ngettext("%(n)s target runs again.", "%(n)s targets run again.", resumed)
    messages.success(request, said % {"n": words.number(resumed)})
    return _back(request)


@needs("rules.change_target")
@require_POST
def probe(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends one event at once to a target that did not answer."""
    found = get_object_or_404(Target, pk=pk)
    if probe_now(found.pk):
        recording.note(Action.PROBED, found)
        messages.success(request, _("One event goes to it now. If it takes it, the others follow."))
    else:
        messages.info(request, _("It answers again: nothing was held back any more."))
    return redirect("target", pk)


def _pause(target: Target, request: HttpRequest) -> None:
    who = _("Paused by %(who)s.") % {"who": request.user.get_username()}
    revisions.set_state(target, Target.State.PAUSED, who)


def _chosen(request: HttpRequest) -> QuerySet[Target]:
    ids = [int(pk) for pk in request.POST.getlist("target") if pk.isdecimal() and len(pk) < 19]
    return Target.objects.filter(pk__in=ids[:AT_ONCE]).order_by("pk")


def _back(request: HttpRequest) -> HttpResponse:
    """To the list as it was looked at."""
    where = request.POST.get("next", "")
    if where.startswith("/") and url_has_allowed_host_and_scheme(where, allowed_hosts=None):
        return redirect(where)
    return redirect("targets")
