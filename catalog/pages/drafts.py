"""Registrations that are not finished."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog.access import needs
from catalog.drafts import drafts_of
from catalog.importing import is_done, is_import

PAGE = 50


@needs("catalog.add_eventtype")
@require_safe
def drafts(request: HttpRequest) -> HttpResponse:
    """The person's drafts and imports, the one changed last first."""
    page = Paginator(drafts_of(request.user), PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "draft": one,
            "is_import": is_import(one),
            "done": is_import(one) and is_done(one),
            "popover": f"delete-{one.pk}",
        }
        for one in page
    ]
    return render(request, "catalog/drafts.html", {"page": page, "rows": rows})


@needs("catalog.add_eventtype")
@require_POST
def delete_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a draft; what an import has registered stays."""
    get_object_or_404(drafts_of(request.user), pk=pk).delete()
    messages.success(request, _("The draft is deleted."))
    return redirect("drafts")
