"""The list of rules and the page of one: what it keeps, where it delivers, what it was before."""

from __future__ import annotations

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import stamps
from catalog.access import needs
from catalog.models import EventType
from rules import personal, registry, revisions
from rules.conditions import NotRows, Row, from_pattern, types_in_words
from rules.draft import Draft
from rules.filtering import filter_of, types_of
from rules.fitting import unfit_target
from rules.forms import free_rule_name
from rules.models import Rule, Target, Trial
from rules.pages import history
from rules.pages.starting import begin_all, promises
from rules.past import past
from rules.unknown_fields import unknown_fields

PAGE = 50


@needs("rules.view_rule")
def rules(request: HttpRequest) -> HttpResponse:
    """All rules, by name; `?q=` searches name, types and targets."""
    query = request.GET.get("q", "").strip()
    found = (
        Rule.objects.select_related("bus", "team").prefetch_related("targets").annotate(size=Count("targets"))
    )
    if query:
        found = found.filter(
            Q(name__icontains=query) | Q(targets__name__icontains=query) | Q(pattern__icontains=query)
        )
        found = found.distinct()
    page = Paginator(found.order_by("name", "pk"), PAGE).get_page(request.GET.get("page"))
    read = [(rule, *_read(rule)) for rule in page]
    listed = [(rule, types, rows, more, types_in_words(rows)) for rule, types, rows, more in read]
    names = {name for _rule, types, _rows, _more, _words in listed for name in types}
    domains = {
        one.name: one.domain for one in EventType.objects.filter(name__in=names).select_related("domain")
    }
    context = {"page": page, "listed": listed, "domains": domains, "query": query}
    return render(request, "rules/rules.html", context)


@needs("rules.view_rule")
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """One rule."""
    found = get_object_or_404(Rule.objects.select_related("bus", "team", "created_by"), pk=pk)
    types, rows, more = _read(found)
    context = {
        "rule": found,
        "types": {one.name: one for one in EventType.objects.filter(name__in=types).select_related("domain")},
        "type_names": types,
        "rows": rows,
        "by_pattern": types_in_words(rows),
        "more": more,
        "pattern_text": json.dumps(found.pattern, indent=2, ensure_ascii=False),
        "targets": [
            (target, registry.describe(target.connector, target.config), registry.icon_of(target.connector))
            for target in found.targets.all()
        ],
        "filters_text": json.dumps(found.filters, indent=2, ensure_ascii=False) if found.filters else "",
        "history": history.of_rule(pk)[:6],
        "claims": personal.claims_of(found),
        "trials": Trial.objects.filter(rule_id=pk).select_related("by")[:5],
    }
    return render(request, "rules/rule.html", context)


@needs("rules.change_rule")
@require_POST
def switch_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Switches a rule on or off: form field `enabled` is "1" or "0".

    One that would have taken no past event listens when that was seen: field `confirmed` names its revision.
    """
    found = get_object_or_404(Rule, pk=pk)
    enabled = request.POST.get("enabled") == "1"
    if found.enabled != enabled:
        if enabled and (wrong := unfit_target(found)):
            messages.error(request, _("It does not listen yet. %(why)s") % {"why": wrong})
            return redirect("edit-rule", pk)
        if enabled and request.POST.get("confirmed") != str(found.revision):
            wanted = filter_of(found)
            nothing = past().difference(found.bus_id, wanted, wanted)
            if nothing.looked and not nothing.kept:
                unknown = unknown_fields(Draft.of(found, None), ())
                context = {"rule": found, "nothing": nothing, "unknown": unknown}
                return render(request, "rules/takes_nothing.html", context, status=422)
        if enabled:
            said = [_("Listening."), *promises(found)] if found.draft else [_("Listening again.")]
            try:
                with transaction.atomic():
                    stamps.hold_log()
                    begins = found.draft
                    revisions.start(found, by=request.user)
                    if begins:
                        begin_all(found)
            except personal.NotApproved as error:
                messages.error(request, _("It does not listen yet. %(why)s") % {"why": error})
                return redirect("rule", pk)
            messages.success(request, " ".join(said))
        else:
            found.enabled = False
            revisions.save_rule(found, by=request.user)
            messages.success(request, _("Switched off. Events pass it by from now on."))
    return redirect("rule", pk)


@needs("rules.add_rule")
@require_POST
def duplicate_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a copy with the same targets, switched off, so that nothing is sent twice until somebody says so."""
    original = get_object_or_404(Rule.objects.select_related("bus"), pk=pk)
    copy = Rule(
        name=free_rule_name(_("Copy of %(rule)s") % {"rule": original.name}, original.bus),
        description=original.description,
        bus=original.bus,
        team=original.team,
        pattern=original.pattern,
        sql=original.sql,
        filters=original.filters,
        enabled=False,
        created_by_id=request.user.pk,
    )
    revisions.save_rule(copy, by=request.user)
    for target in original.targets.all():
        target.pk, target.rule, target.revision, target.starts = None, copy, 0, ""
        target.state, target.state_reason, target.rested, target.granted_rate = (
            Target.State.RUNNING,
            "",
            0,
            None,
        )
        target._state.adding = True
        revisions.save_target(target, by=request.user)
    messages.success(request, _("This is the copy. It is switched off."))
    return redirect("rule", copy.pk)


def _read(found: Rule) -> tuple[list[str], list[Row], bool]:
    """Types and conditions of a rule, and whether its pattern says more than rows can show."""
    try:
        types, rows, more = *from_pattern(found.pattern), False
    except NotRows:
        types, rows, more = [], [], True
    return types or types_of([filter_of(found)]), rows, more
