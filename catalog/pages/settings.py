"""Settings: publishing tokens and buses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from catalog import changes
from catalog.access import needs
from catalog.forms.owners import team_of
from catalog.forms.settings import BusForm, TokenForm
from catalog.models import Bus, Source, Token
from catalog.snippets import Snippets

ISSUED, ISSUED_SECONDS = "issued-token", 60


@needs("catalog.add_token")
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens, and a form for a new one, whose text this page shows once and nothing shows again."""
    form = TokenForm(request.POST or None, initial={"team": team_of(request.user)})
    if request.method == "POST" and form.is_valid():
        token, text = Token.issue(**form.cleaned_data)
        return _carrying(request, redirect("tokens"), f"{token.pk} {text}")
    page = Paginator(Token.objects.select_related("bus", "team"), 100).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"form": form, "page": page}
    carried = request.get_signed_cookie(ISSUED, default="", max_age=ISSUED_SECONDS)
    if carried and request.method == "GET":
        pk, _space, text = carried.partition(" ")
        issued = Token.objects.select_related("bus").filter(pk=pk, revoked_at=None).first()
        source = Source.objects.filter(bus=issued.bus).first() if issued and issued.bus else None
        snippets = replace(Snippets.of(request, None, source, issued.bus if issued else None), token=True)
        context |= {"issued": issued, "text": text, "curl": snippets.curl()}
    answer = render(request, "catalog/tokens.html", context)
    if carried:
        answer.delete_cookie(ISSUED, path=reverse("tokens"), samesite="Strict")
    return answer


def _carrying(request: HttpRequest, answer: HttpResponse, text: str) -> HttpResponse:
    """`answer` with the new token for the page it leads to, so that reloading that page makes no second one.

    In a cookie of that page alone which it takes away: the database and the session must not hold what it says.
    """
    answer.set_signed_cookie(
        ISSUED, text, max_age=ISSUED_SECONDS, path=reverse("tokens"),
        secure=request.is_secure(), httponly=True, samesite="Strict",
    )  # fmt: skip
    return answer


@needs("catalog.change_token")
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Revokes a token: from the next request on it opens nothing."""
    token = get_object_or_404(Token, pk=pk)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
    messages.success(
        request, _("%(name)s is revoked. Publishers that use it get 401 from now on.") % {"name": token}
    )
    return redirect("tokens")


@needs("catalog.view_bus")
def buses(request: HttpRequest) -> HttpResponse:
    """The buses."""
    found = Bus.objects.annotate(source_count=Count("sources"))
    return render(request, "catalog/buses.html", {"buses": found})


@needs("catalog.add_bus")
def new_bus(request: HttpRequest) -> HttpResponse:
    """A form for a new bus."""
    return _bus(request, Bus())


@needs("catalog.change_bus")
def bus(request: HttpRequest, name: str) -> HttpResponse:
    """A form for an existing bus."""
    return _bus(request, get_object_or_404(Bus, name=name))


def _bus(request: HttpRequest, found: Bus) -> HttpResponse:
    new, told = found.pk is None, BusForm.Meta.fields
    before = changes.values_of(found, told)
    form = BusForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            fields = changes.fields_changed(before, changes.values_of(found, told))
            if new:
                changes.record("bus.registered", bus=found, by=request.user)
            elif fields:
                changes.record("bus.changed", bus=found, by=request.user, detail={"fields": fields})
        messages.success(request, _("The bus %(name)s is saved.") % {"name": found.name})
        return redirect("buses")
    return render(request, "catalog/bus.html", {"form": form, "bus": found})
