"""The welcome page of the demo, its generator's switch, and what leads there once after the first sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.access import needs
from catalog.models import Bus, EventType, Source, Token
from catalog.snippets import Snippets
from delivery.demo import first_event, trouble
from delivery.demo import welcome as demo
from delivery.demo.town import BIN, BUS, GENERATOR, renew_token, token_of
from delivery.models import RequestBin, Switch
from rules.models import Rule, Target

SHOWN = "welcome-shown"


class WelcomeOnce:
    """Middleware: leads a person's first look at the marketplace to the welcome page, where the demo is loaded.

    Asks the database once per session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            request.path == "/"
            and request.method == "GET"
            and not request.GET
            and self._is_first_look(request)
        ):
            return redirect("welcome")
        return self.get_response(request)

    @staticmethod
    def _is_first_look(request: HttpRequest) -> bool:
        if request.headers.get("HX-Request") or SHOWN in request.session or not request.user.is_authenticated:
            return False
        request.session[SHOWN] = True
        return demo.is_loaded() and not Switch.objects.filter(name=_shown_to(request)).exists()


@needs("catalog.view_eventtype")
@require_GET
def welcome(request: HttpRequest) -> HttpResponse:
    """What there is in the demo, and four things to do with it. Without the demo: the way to a first event."""
    if not demo.is_loaded():
        return _begin(request)
    Switch.objects.get_or_create(name=_shown_to(request), defaults={"on": False})
    request.session[SHOWN] = True
    base = f"{request.scheme}://{request.get_host()}"
    facts = demo.banner_facts()
    # Who may make tokens learns nothing new from this one; for others the demo's bus is open without.
    token = facts["token"] if facts and request.user.has_perm("catalog.add_token") else None
    context = {
        "line": first_event.curl(base, BUS, token),
        "id": first_event.ID,
        "watch": RequestBin.objects.filter(name=BIN).order_by("id").first(),
        "sources": Source.objects.filter(bus__name=BUS).count(),
        "types": EventType.objects.filter(sources__bus__name=BUS).distinct().count(),
        "rules": Rule.objects.filter(bus__name=BUS).count(),
        "billing": Target.objects.filter(rule__bus__name=BUS, name="Billing").first(),
        "generator": _generator(),
    }
    return render(request, "delivery/welcome.html", context)


def _begin(request: HttpRequest) -> HttpResponse:
    source = Source.objects.select_related("bus").order_by("-id").first()
    snippets = Snippets.of(request, None, source)
    context = {
        "source": source,
        "bus": source.bus if source else Bus.objects.first(),
        "token": Token.objects.filter(revoked_at=None).exists(),
        "needs_token": snippets.token,
        "line": snippets.curl(),
        "type": snippets.type,
        "rule": Rule.objects.exists(),
    }
    return render(request, "delivery/begin.html", context)


@needs("delivery.change_switch")
@require_POST
def generator(request: HttpRequest) -> HttpResponse:
    """Switches the generator: `on` in the form is "1" or "0". Answers with the card (htmx) or the welcome page."""
    Switch.objects.update_or_create(name=GENERATOR, defaults={"on": request.POST.get("on") == "1"})
    if request.headers.get("HX-Request"):
        return render(request, "delivery/demo_switch.html", {"generator": _generator()})
    return redirect(f"{reverse('welcome')}#demo-switch")


@needs("catalog.add_token")
@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """Gives the generator a new token in place of one that was revoked or deleted."""
    if renew_token():
        trouble.clear()  # what it says is of the old token; the generator says so again if it is not better
    if request.headers.get("HX-Request"):
        return render(request, "delivery/demo_switch.html", {"generator": _generator()})
    return redirect(f"{reverse('welcome')}#demo-switch")


def _generator() -> dict[str, Any]:
    """Whether it is switched `on`; its `state`: sending, quiet, asleep or refused; of that, `since` and `reason`."""
    found = Switch.objects.filter(name=GENERATOR).first()
    on = found is not None and found.on
    if not on or not settings.DEMO:
        return {"on": on, "state": "asleep" if on else "quiet"}
    seen = trouble.found()
    facts = demo.banner_facts()
    token = token_of(facts) if facts else None
    if token is None or token.revoked_at is not None:
        since = token.revoked_at if token else seen.since if seen else None
        reason = _("its token was revoked") if token else _("its token was deleted")
        return {"on": on, "state": "refused", "since": since, "reason": reason, "renewable": True}
    if seen is not None:
        return {"on": on, "state": "refused", "since": seen.since, "reason": seen.reason}
    return {"on": on, "state": "sending"}


def _shown_to(request: HttpRequest) -> str:
    """The name of the switch that remembers that this person saw the page."""
    return f"welcome-{request.user.pk}"
