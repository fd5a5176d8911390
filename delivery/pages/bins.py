"""Request bins: an address that accepts anything, and what it received."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.audit import recording
from catalog.audit.kinds import Action
from catalog.models import Team
from delivery.models import RequestBin
from delivery.pages import lines
from rules.forms import team_for
from rules.models import Target

SHOWN = 50


class BinForm(forms.ModelForm):
    """A new bin's name."""

    class Meta:
        model = RequestBin
        fields = ("name",)
        widgets = {"name": forms.TextInput(attrs={"class": "input", "autocomplete": "off"})}


@needs("delivery.view_requestbin")
def bins(request: HttpRequest) -> HttpResponse:
    """All bins; a form makes a new one."""
    form = BinForm(
        request.POST
        if request.method == "POST" and request.user.has_perm("delivery.add_requestbin")
        else None
    )
    if form.is_bound and form.is_valid():
        team = team_for(request.user)
        if team is None:
            form.add_error(
                None,
                _(
                    "A bin belongs to a team, and there is none yet. Registering a source makes the first one."
                ),
            )
        else:
            form.instance.team = team
            made = form.save()
            return redirect("bin", made.pk)
    found = RequestBin.objects.select_related("team").annotate(
        received=Count("requests"), last=Max("requests__received_at")
    )
    context = {"bins": [(one, address_of(request, one)) for one in found], "form": form}
    return render(request, "delivery/bins.html", context)


@needs("delivery.view_requestbin")
def request_bin(request: HttpRequest, pk: int) -> HttpResponse:
    """One bin: its address and the latest requests, newest first."""
    found = get_object_or_404(RequestBin.objects.select_related("team"), pk=pk)
    address = address_of(request, found)
    received = lines.of_requests(list(found.requests.all()[:SHOWN]), request.user)
    context: dict[str, Any] = {
        "bin": found,
        "address": address,
        "requests": received,
        "count": found.requests.count(),
        "fed_by": [
            target
            for target in Target.objects.filter(connector="http").select_related("rule")
            if f"/bin/{found.address}" in str(target.config.get("url", ""))
        ][:10],
    }
    return render(request, "delivery/bin.html", context)


@needs("delivery.delete_requestbin")
@require_POST
def empty_bin(request: HttpRequest, pk: int) -> HttpResponse:
    """Drops what a bin received."""
    found = get_object_or_404(RequestBin, pk=pk)
    with transaction.atomic():
        found.requests.all().delete()
        recording.note(Action.EMPTIED, found)
    messages.success(request, _("Emptied."))
    return redirect("bin", pk)


@needs("delivery.delete_requestbin")
@require_POST
def delete_bin(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a bin with what it received; requests to its address get 404 from then on."""
    found = get_object_or_404(RequestBin, pk=pk)
    found.delete()
    messages.success(request, _("%(bin)s is deleted.") % {"bin": found.name})
    return redirect("bins")


def address_of(request: HttpRequest, found: RequestBin) -> str:
    """The URL that a bin receives at."""
    return request.build_absolute_uri(f"/bin/{found.address}/")


def make_bin(request: HttpRequest, team: Team, name: str) -> tuple[str, dict[str, Any]]:
    """Makes a bin on the spot for a new target; its connector and config."""
    made = RequestBin.objects.create(name=name[:80], team=team)
    return "http", {"url": address_of(request, made), "method": "POST", "mode": "binary"}
