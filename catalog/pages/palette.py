"""The palette's answer: what is found by what was typed, as a part of the page that is open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.access import SIGNED_IN, needs
from catalog.palette.finding import asked, deeds, found


# Every finder and action asks for its own permission.
@needs(SIGNED_IN)
@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """`?q=` some words, or an event's id, subject or URL: sections of options for the palette's list."""
    what = asked(request.GET.get("q", ""), request.user, request.get_host())
    context = {"asked": what, "sections": found(what), "deeds": deeds(what)}
    response = render(request, "catalog/palette/found.html", context)
    response["Cache-Control"] = "no-store"
    return response
