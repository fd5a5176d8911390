"""The list of targets, the page of one, and deleting it. Pausing and resuming are in `resting`."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.audit import recording
from catalog.audit.kinds import Action
from catalog.traffic import per_minute
from delivery import backfill
from delivery.bins.found import bins_of, shown_as
from delivery.deadletters import listing
from delivery.deadletters.chosen import Chosen
from delivery.models import TargetPermission
from delivery.pages import lines, reconciled
from delivery.pages.resting import kept_for
from delivery.pages.stretch import named
from delivery.pages.summary import target_lines
from delivery.pages.veil import groups_for, reason_veiled, rules_with_hidden
from delivery.runner.policy import Policy
from delivery.tracking import attempts, rates, status, waiting
from delivery.tracking.read import now, rows
from rules import registry, retry_words, revisions
from rules.models import Rule, Target, policy_of
from rules.personal import NotApproved
from rules.retries import preset_of

PAGE = 50
TAKERS = 500


@needs("rules.view_target")
def targets(request: HttpRequest) -> HttpResponse:
    """All targets by name; `?q=` searches name and rule, `?state=` picks running, paused, stopped or disabled."""
    query = request.GET.get("q", "").strip()
    state = request.GET.get("state", "")
    found = Target.objects.select_related("rule")
    if query:
        found = found.filter(Q(name__icontains=query) | Q(rule__name__icontains=query))
    if state in Target.State.values:
        found = found.filter(state=state)
    page = Paginator(found.order_by("name", "pk"), PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    owes = waiting.of_targets([target.pk for target in shown])
    stretch = named("1h", now())
    listed = target_lines(shown, owes, stretch)
    context = {
        "page": page,
        "stretch": stretch,
        "lines": listed,
        "query": query,
        "state": state,
        "states": Target.State.choices,
    }
    return render(request, "delivery/targets.html", context)


@needs("rules.view_target")
def target(request: HttpRequest, pk: int) -> HttpResponse:
    """One target: where it delivers, how it is, what it owes, what it tried last."""
    found = get_object_or_404(Target.objects.select_related("rule__bus", "rule__team"), pk=pk)
    owes = waiting.of_targets([pk])[pk]
    at = now()
    stretch = named("1h", at)
    hour = rates.delivered(stretch.first, stretch.last, stretch.step, [pk])
    total = rates.total(hour)
    policy = Policy.of(policy_of(found), found.granted_rate)
    symbol, label = shown_as(found.connector, bool(bins_of([found])))
    if found.rule_id in rules_with_hidden(request.user):
        found.state_reason = reason_veiled(found.state_reason)
        if owes.breaker is not None:
            owes = owes._replace(breaker=owes.breaker._replace(reason=reason_veiled(owes.breaker.reason)))
    context = {
        "target": found,
        "where": registry.describe(found.connector, found.config),
        "symbol": symbol,
        "label": label,
        "status": status.of_target(found, owes),
        "owes": owes,
        "former_order": _former_order(found, owes),
        "hour": total,
        "rate": per_minute([slot.delivered for slot in hour], 1, stretch.running(at)),
        "median": total.percentile(0.5),
        "p95": total.percentile(0.95),
        "minutes": [slot.delivered for slot in hour],
        "takers": _takers(found),
        "groups": groups_for(request.user, listing.groups(Chosen(target=pk))[:5]),
        "kept": kept_for(found, owes),
        "retries": retry_words.in_words(policy.retries),
        "retries_name": retry_words.label_of(preset_of(policy_of(found))),
        "rate_limit": policy.rate,
        "classes": sorted(found.classes.items()),
        "tried": lines.of_attempts(attempts.of_target(pk, 50), request.user),
        "signs": len(found.config.get("signing_keys", {})),
        "asks_permission": bool(found.config.get("handshake")),
        "permission": TargetPermission.objects.filter(target=pk).first(),
        "reconciled": reconciled.last(pk),
    }
    return render(request, "delivery/target.html", context)


def _takers(found: Target) -> list[Target]:
    """The targets that may take its dead letters: of its team, and none whose own come to it."""
    of_team = (
        Target.objects.filter(rule__team=found.rule.team_id).exclude(pk=found.pk).order_by("name")[:TAKERS]
    )
    return [one for one in of_team if one.dead_letters_to_id != found.pk]


def _former_order(found: Target, owes: waiting.Waiting) -> str:
    """The order that is still in force, in words, while what was parked under it is finished; "" when none is."""
    if not (owes.retrying or owes.behind):
        return ""
    former = rows(
        "SELECT mode FROM runner_slot WHERE target = %s AND mode <> %s LIMIT 1", [found.pk, found.order]
    )
    return str(Target.Order(former[0][0]).label) if former else ""


@needs("rules.change_target")
@require_POST
def send_dead_letters(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets the target's dead letters go on to the target `to`, or to nobody when it is empty."""
    found = get_object_or_404(Target.objects.select_related("rule"), pk=pk)
    wanted = request.POST.get("to", "")
    to = (
        get_object_or_404(Target.objects.select_related("rule"), pk=int(wanted))
        if wanted.isdecimal()
        else None
    )
    try:
        revisions.send_dead_letters_to(found, to, by=request.user)
    except (revisions.NotThere, NotApproved) as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            _("Its dead letters go on to %(target)s.") % {"target": to.name}
            if to
            else _("Its dead letters stay here only."),
        )
    return redirect("target", pk)


@needs("rules.view_target")
def catching_up(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a target is with the past: its page asks for this part again and again, and loads anew once it is done."""
    found = get_object_or_404(Target.objects.select_related("rule"), pk=pk)
    owes = waiting.of_targets([pk])[pk]
    if owes.past is None:
        response = HttpResponse(_("It has caught up."))
        response["HX-Refresh"] = "true"
        return response
    context = {"target": found, "past": owes.past, "status": status.of_target(found, owes), "asked": True}
    return render(request, "delivery/catching_up.html", context)


@needs("rules.change_target")
@require_POST
def stop_catching_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Leaves out the past events that were not looked at yet."""
    found = get_object_or_404(Target, pk=pk)
    if backfill.cancel(found.pk):
        recording.note(Action.STOPPED, found, "catching up with the past")
        messages.success(request, _("Stopped there. The new events come next."))
    else:
        messages.info(request, _("It had caught up already: nothing was left out."))
    return redirect("target", pk)


@needs("rules.delete_target")
def delete_target(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks, saying what would be lost, and deletes."""
    found = get_object_or_404(Target.objects.select_related("rule"), pk=pk)
    if request.method == "POST":
        rule = found.rule
        revisions.delete_target(found, by=request.user)
        TargetPermission.objects.filter(target=pk).delete()
        messages.success(request, _("%(target)s is deleted.") % {"target": found.name})
        return redirect("rule", rule.pk)
    owes = waiting.of_targets([pk])
    context = {
        "rule": found.rule,
        "target": found,
        "listed": [(found, owes[pk])],
        "bins": list(bins_of([found]).values()),
        "total": waiting.total(owes.values()),
    }
    return render(request, "delivery/delete.html", context)


@needs("rules.delete_rule")
def delete_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks, listing the targets and what waits for them, and deletes a rule with its targets."""
    found = get_object_or_404(Rule, pk=pk)
    if request.method == "POST":
        ids = list(found.targets.values_list("pk", flat=True))
        revisions.delete_rule(found, by=request.user)
        TargetPermission.objects.filter(target__in=ids).delete()
        messages.success(request, _("%(rule)s is deleted.") % {"rule": found.name})
        return redirect("rules")
    of_rule = list(found.targets.all())
    owes = waiting.of_targets([one.pk for one in of_rule])
    context = {
        "rule": found,
        "target": None,
        "listed": [(one, owes[one.pk]) for one in of_rule],
        "bins": list(bins_of(of_rule).values()),
        "total": waiting.total(owes.values()),
    }
    return render(request, "delivery/delete.html", context)
