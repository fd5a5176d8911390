"""Settings: where they begin, and publishing tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.access import SIGNED_IN, needs
from catalog.forms.owners import team_of
from catalog.forms.settings import TokenForm
from catalog.models import Source, Token
from catalog.navigation import settings_for
from catalog.ownership import owned_teams, refusal
from catalog.pages.issued import carried, carrying, taken
from catalog.snippets import Snippets

CHANGES = "catalog.change_token"


@needs(SIGNED_IN)
@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """Leads to the first of the settings that the person may open."""
    return redirect(settings_for(request.user)[0].page)


@needs("catalog.add_token")
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens, and a form for a new one, whose text this page shows once and nothing shows again."""
    form = TokenForm(request.POST or None, initial={"team": team_of(request.user)}, user=request.user)
    if request.method == "POST" and form.is_valid():
        token, text = Token.issue(**form.cleaned_data, created_by=request.user)
        return carrying(request, redirect("tokens"), token, text, reverse("tokens"))
    query, show = request.GET.get("q", "").strip()[:80], request.GET.get("show", "")
    found = Token.objects.select_related("bus", "team", "created_by")
    if query.startswith(f"{Token.PREFIX}_"):
        # Somebody pasted a whole token: its public part finds it, and no page or address holds the rest.
        return redirect(f"{reverse('tokens')}?{urlencode({'q': query.split('_')[1]})}")
    if query:
        found = found.filter(Q(name__icontains=query) | Q(public_id=query) | Q(team__name__icontains=query))
    if show in ("working", "revoked"):
        found = found.filter(revoked_at__isnull=show == "working")
    page = Paginator(found, 100).get_page(request.GET.get("page"))
    owned = set(owned_teams(request.user, CHANGES).values_list("pk", flat=True))
    context: dict[str, Any] = {
        "form": form,
        "page": page,
        "lines": [(token, token.team_id in owned) for token in page],
        "query": query,
        "show": show,
        "teams": form.fields["team"].queryset.exists(),  # type: ignore[attr-defined]
    }
    issued, text = carried(request)
    if text:
        source = Source.objects.offered().filter(bus=issued.bus).first() if issued and issued.bus else None
        snippets = replace(Snippets.of(request, None, source, issued.bus if issued else None), token=True)
        context |= {"issued": issued, "text": text, "curl": snippets.curl()}
    return taken(request, render(request, "catalog/tokens.html", context), reverse("tokens"))


@needs(CHANGES)
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Revokes a token: from the next request on it opens nothing."""
    token = get_object_or_404(Token.objects.select_related("team"), pk=pk)
    if why_not := refusal(request.user, token.team, CHANGES):
        messages.error(request, why_not)
        return redirect("tokens")
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
    messages.success(
        request, _("%(name)s is revoked. Publishers that use it get 401 from now on.") % {"name": token}
    )
    return redirect("tokens")
