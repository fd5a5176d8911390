"""The history of a rule and of a target: who changed what and when, in words and as JSON, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from catalog.access import needs
from rules import changes, registry, revisions
from rules.changes import DiffLine
from rules.filtering import filter_of
from rules.fitting import unfit, unfit_target
from rules.models import Rule, RuleRevision, Target, TargetRevision, Trial
from rules.past import past
from rules.personal import NotApproved

PAGE, MOST = 25, 500
Revision = TypeVar("Revision", RuleRevision, TargetRevision)


class Change(NamedTuple):
    """One entry: a revision, the one before, what it changed, and whether going back to it would change anything.

    `is_new`: it began the revision with its number; else a target came or went under it. `about`: in the history of a
    rule the target that was changed, "" for the rule itself.
    """

    before: RuleRevision | TargetRevision | None
    revision: RuleRevision | TargetRevision
    words: list[str]
    can_go_back: bool
    is_new: bool = True
    about: str = ""

    @property
    def lines(self) -> list[DiffLine]:
        """Both revisions as JSON, line by line."""
        if isinstance(self.revision, RuleRevision):
            return changes.rule_lines(self.before, self.revision)  # type: ignore[arg-type]
        return changes.target_lines(self.before, self.revision)  # type: ignore[arg-type]


def of_rule(pk: int) -> list[Change]:
    """What was changed of a rule and of its targets, the newest first: at most 500 changes of the rule, 500 of targets.

    Saving that changed nothing is left out, but for the first.
    """
    newest = RuleRevision.objects.filter(rule_id=pk).select_related("by").order_by("-pk")
    found = list(newest[: MOST + 1])[::-1]
    targets = {target for revision in found for target in revision.target_ids}
    of_targets = TargetRevision.objects.filter(target_id__in=targets)
    names = dict(of_targets.order_by("number").values_list("target_id", "name"))
    listed = []
    for before, after in _pairs(found):
        words = changes.of_rule(before, after, names)
        if words or before is None:
            is_new = before is None or before.number != after.number
            differs = is_new and after.pattern is not None and bool(changes.of_filter(after, found[-1]))
            listed.append(Change(before, after, words, differs, is_new))
    listed += _of_targets(list(of_targets.select_related("by").order_by("-pk")[:MOST]))
    return sorted(listed, key=lambda change: change.revision.at, reverse=True)


def _of_targets(newest: Sequence[TargetRevision]) -> Iterator[Change]:
    """The changes of targets in the history of their rule. That a target came is said by the rule's own entry."""
    by_target: dict[int, list[TargetRevision]] = {}
    for revision in reversed(newest):
        by_target.setdefault(revision.target_id, []).append(revision)
    for found in by_target.values():
        for before, after in pairwise(found):
            if words := changes.of_target(before, after):
                yield Change(before, after, words, False, True, after.name)


def _pairs(found: Sequence[Revision]) -> Iterator[tuple[Revision | None, Revision]]:
    """Each revision with the one before it; the oldest of very many only as such a one."""
    if len(found) <= MOST:
        yield from zip([None, *found], found, strict=False)
    else:
        yield from pairwise(found)


def of_target(pk: int) -> list[Change]:
    """What was changed of a target, the newest 500 changes first."""
    newest = TargetRevision.objects.filter(target_id=pk).select_related("by").order_by("-number")
    found = list(newest[: MOST + 1])[::-1]
    listed = []
    for before, after in _pairs(found):
        words = changes.of_target(before, after) or [_("Saved without a change.")]
        differs = after is not found[-1] and changes.deliver_differently(after, found[-1])
        listed.append(Change(before, after, words, differs))
    return listed[::-1]


@needs("rules.view_rule")
def rule_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Every change of a rule and of its targets."""
    rule = get_object_or_404(Rule, pk=pk)
    here = set(rule.targets.values_list("pk", flat=True))
    return _page(request, of_rule(pk), {"rule": rule, "here": here})


@needs("rules.view_target")
def target_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Every change of a target."""
    target = get_object_or_404(Target.objects.select_related("rule"), pk=pk)
    trials = Trial.objects.filter(target_id=pk).select_related("by")[:10]
    return _page(request, of_target(pk), {"rule": target.rule, "target": target, "trials": trials})


def _page(request: HttpRequest, listed: Sequence[Change], about: dict[str, Any]) -> HttpResponse:
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    return render(request, "rules/history.html", {"page": page, "listed": list(page), **about})


@needs("rules.change_rule")
def roll_back_rule(request: HttpRequest, pk: int, revision: int) -> HttpResponse:
    """Brings the filter of an earlier revision back, as a new one; of a listening rule only when `confirmed`.

    The address, opened or reloaded, leads to the history and changes nothing.
    """
    if request.method != "POST":
        return redirect("rule-history", pk)
    rule = get_object_or_404(Rule, pk=pk)
    to = get_object_or_404(RuleRevision, pk=revision, rule_id=pk)
    if to.pattern is None:
        raise Http404
    if Rule.objects.filter(bus_id=rule.bus_id, name=to.name).exclude(pk=pk).exists():
        taken = _("Another rule of this bus is called “%(name)s” now. Rename one of them, then go back.")
        messages.error(request, taken % {"name": to.name})
        return redirect("rule-history", pk)
    before, after = filter_of(rule), filter_of(to)
    if rule.enabled and (wrong := unfit_target(rule, after)):
        messages.error(request, _("It does not go back. %(why)s") % {"why": wrong})
        return redirect("rule-history", pk)
    if rule.enabled and before != after and request.POST.get("confirmed") != str(to.pk):
        difference = past().difference(rule.bus_id, before, after)
        return render(request, "rules/roll_back.html", {"rule": rule, "to": to, "difference": difference})
    try:
        revisions.roll_back_rule(rule, to, by=request.user)
    except NotApproved as error:
        messages.error(request, _("It does not go back. %(why)s") % {"why": error})
        return redirect("rule-history", pk)
    messages.success(
        request,
        _(
            "It keeps what it kept in revision %(number)s. This is a new revision; what its targets are sent, and how, stays."
        )
        % {"number": to.number},
    )
    return redirect("rule-history", pk)


@needs("rules.change_target")
def roll_back_target(request: HttpRequest, pk: int, revision: int) -> HttpResponse:
    """Brings the settings of an earlier revision back, as a new one; opened by its address it leads to the history."""
    if request.method != "POST":
        return redirect("target-history", pk)
    target = get_object_or_404(Target.objects.select_related("rule"), pk=pk)
    to = get_object_or_404(TargetRevision, pk=revision, target_id=pk)
    wrong = _cannot_go_back(target, to)
    if wrong:
        messages.error(request, wrong)
        return redirect("target-history", pk)
    try:
        revisions.roll_back_target(target, to, by=request.user)
    except NotApproved as error:
        messages.error(request, _("It does not go back. %(why)s") % {"why": error})
    else:
        said = _("It delivers as in revision %(number)s. What has not been sent yet goes out so.")
        messages.success(request, said % {"number": to.number})
    return redirect("target-history", pk)


def _cannot_go_back(target: Target, to: TargetRevision) -> str:
    """Why not, in a sentence; "" when it can."""
    connector = registry.connector(to.connector)
    if connector is None:
        return _("The connector “%(name)s” of that revision is not installed.") % {"name": to.connector}
    if wrong := connector.check(to.config):
        return _("The settings of that revision are no longer valid: %(why)s") % {
            "why": " ".join(wrong.values())
        }
    if Target.objects.filter(rule=target.rule, name=to.name).exclude(pk=target.pk).exists():
        return _("Another target of this rule is called “%(name)s” now.") % {"name": to.name}
    if target.rule.enabled and (why := unfit(target.rule.bus_id, filter_of(target.rule), to)):
        return " ".join([_("The target would not take it."), why])
    return ""
