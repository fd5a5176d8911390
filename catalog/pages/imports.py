"""Import: documents that describe many event types at once, and packs."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.access import needs
from catalog.models import Source
from catalog.packs.known import PACKS


@needs("catalog.add_eventtype")
@require_safe
def imports(request: HttpRequest) -> HttpResponse:
    """An upload, which the register page reads, and the packs with the command that registers each."""
    sources = Source.objects.filter(uri__in=[pack.source for pack in PACKS.values()])
    types = dict(sources.annotate(types=Count("event_types")).values_list("uri", "types"))
    packs = [{"pack": pack, "types": types.get(pack.source, 0)} for pack in PACKS.values()]
    return render(request, "catalog/imports.html", {"packs": packs})
