"""Settings: publishing tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.forms.owners import team_of
from catalog.forms.settings import TokenForm
from catalog.models import Source, Token
from catalog.pages.issued import carried, carrying, taken
from catalog.snippets import Snippets


@needs("catalog.add_token")
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens, and a form for a new one, whose text this page shows once and nothing shows again."""
    form = TokenForm(request.POST or None, initial={"team": team_of(request.user)})
    if request.method == "POST" and form.is_valid():
        token, text = Token.issue(**form.cleaned_data)
        return carrying(request, redirect("tokens"), token, text, reverse("tokens"))
    page = Paginator(Token.objects.select_related("bus", "team"), 100).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"form": form, "page": page}
    issued, text = carried(request)
    if text:
        source = Source.objects.offered().filter(bus=issued.bus).first() if issued and issued.bus else None
        snippets = replace(Snippets.of(request, None, source, issued.bus if issued else None), token=True)
        context |= {"issued": issued, "text": text, "curl": snippets.curl()}
    return taken(request, render(request, "catalog/tokens.html", context), reverse("tokens"))


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
