"""Wanted: events people ask for, and joining in."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import wanted as wishes
from catalog.access import needs
from catalog.forms.wanted import WantedForm
from catalog.models import Wanted

IN_LIST = 50


@needs("catalog.view_eventtype")
def wanted(request: HttpRequest) -> HttpResponse:
    """What is wanted, and the form to ask for more. `?name=` fills the form."""
    form = WantedForm(request.POST or None, initial={"name": request.GET.get("name", "")[:255]})
    if request.method == "POST" and form.is_valid():
        made = wishes.ask(form.cleaned_data["name"], form.cleaned_data["why"], request.user)
        messages.success(
            request,
            _("%(name)s is on the list. Whoever registers it answers everybody who asked.")
            % {"name": made.name},
        )
        return redirect("wanted")
    page = Paginator(wishes.open_wishes(request.user), IN_LIST).get_page(request.GET.get("page"))
    answered = Wanted.objects.exclude(event_type=None).select_related("event_type__domain")[:5]
    return render(request, "catalog/wanted.html", {"form": form, "page": page, "answered": answered})


@needs("catalog.view_eventtype")
@require_POST
def join(request: HttpRequest, pk: int) -> HttpResponse:
    """Joins in, or takes that back when the person had; returns to the page it came from."""
    found = get_object_or_404(Wanted, pk=pk, event_type=None)
    if found.wishes.filter(user=request.user.pk).exists():
        wishes.leave(found, request.user)
    else:
        wishes.join(found, request.user)
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("wanted")
