"""Buses: making and editing them, and retiring one, saying first what stops."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import retiring
from catalog.access import needs
from catalog.forms.lifecycle import NameForm
from catalog.forms.settings import BusForm
from catalog.models import Bus
from catalog.ownership import refusal

CHANGES = "catalog.change_bus"
# People read the first of each list; the rest is counted.
SHOWN = 50


@needs("catalog.view_bus")
def buses(request: HttpRequest) -> HttpResponse:
    """The buses, those that are retired last."""
    found = Bus.objects.select_related("team").annotate(
        source_count=Count("sources", filter=Q(sources__retired_at=None))
    )
    listed = found.order_by(F("retired_at").desc(nulls_first=True), "id")
    return render(request, "catalog/buses.html", {"buses": listed})


@needs("catalog.add_bus")
def new_bus(request: HttpRequest) -> HttpResponse:
    """A form for a new bus."""
    return _form(request, Bus())


@needs("catalog.change_bus")
def bus(request: HttpRequest, name: str) -> HttpResponse:
    """A form for an existing bus."""
    return _form(request, get_object_or_404(Bus.objects.select_related("team"), name=name))


def _form(request: HttpRequest, found: Bus) -> HttpResponse:
    why_not = refusal(request.user, found.team, CHANGES) if found.pk else ""
    form = BusForm(request.POST or None, instance=found, user=request.user)
    if request.method == "POST" and not why_not and form.is_valid():
        form.save()
        messages.success(request, _("The bus %(name)s is saved.") % {"name": found.name})
        return redirect("buses")
    status = 403 if request.method == "POST" and why_not else 200
    return render(
        request, "catalog/bus.html", {"form": form, "bus": found, "why_not": why_not}, status=status
    )


@needs("catalog.change_bus")
def retire_bus(request: HttpRequest, name: str) -> HttpResponse:
    """Says what stops when the bus takes no more events, and retires it; one that is in use when its name is typed."""
    found = get_object_or_404(Bus.objects.select_related("team"), name=name)
    if found.retired_at is not None:
        return redirect("buses")
    why_not = refusal(request.user, found.team, CHANGES)
    rules, sources = retiring.users_of(found)
    tokens = found.tokens.filter(revoked_at=None).count()
    form = NameForm(
        request.POST if request.method == "POST" else None, name=found.name if rules or sources else ""
    )
    if request.method == "POST" and not why_not and form.is_valid():
        retiring.retire_bus(found, request.user)
        said = _("The bus %(name)s is retired: it takes no more events. What waits is still delivered.")
        messages.success(request, said % {"name": found.name})
        return redirect("buses")
    context = {
        "bus": found,
        "why_not": why_not,
        "form": form,
        "rules": rules[:SHOWN],
        "more_rules": len(rules) - SHOWN,
        "sources": sources[:SHOWN],
        "more_sources": len(sources) - SHOWN,
        "tokens": tokens,
        "last": not Bus.objects.offered().exclude(pk=found.pk).exists(),
    }
    status = 200 if request.method != "POST" else 403 if why_not else 422
    return render(request, "catalog/retire_bus.html", context, status=status)


@needs("catalog.change_bus")
@require_POST
def restore_bus(request: HttpRequest, name: str) -> HttpResponse:
    """Lets a retired bus take events again."""
    found = get_object_or_404(Bus.objects.select_related("team"), name=name)
    if why_not := refusal(request.user, found.team, CHANGES):
        messages.error(request, why_not)
    else:
        retiring.restore_bus(found, request.user)
        messages.success(request, _("The bus %(name)s takes events again.") % {"name": found.name})
    return redirect("buses")
