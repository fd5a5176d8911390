"""Subscribing on the page of an event type: the editor's form as a panel of that page."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from catalog.access import needs
from rules import registry
from rules.models import Rule, Target
from rules.pages.editor import make_rule


@needs("rules.add_rule")
def subscribe_here(request: HttpRequest) -> HttpResponse:
    """For htmx: the panel for `?type=`; sent, it makes a rule that listens and says so, and the page stays.

    Without script the editor's own page does the same.
    """
    if request.method != "POST" and "inline" not in request.GET:
        return redirect(f"{reverse('subscribe')}?{urlencode({'type': request.GET.get('type', '').strip()})}")
    return make_rule(request, "rules/here.html", _done)


def _done(request: HttpRequest, rule: Rule, target: Target, first: str) -> HttpResponse:
    places = (place.find(request, target.connector, target.config) for place in registry.places())
    context = {"rule": rule, "target": target, "first": first, "made": next(filter(None, places), None)}
    answer = render(request, "rules/here_done.html", context)
    # The page's own list of listeners asks again.
    answer["HX-Trigger"] = json.dumps({"subscribed": rule.pk})
    return answer
