"""Trying a target's connection, and its permission to be sent events: both send no event."""

from __future__ import annotations

import asyncio
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from catalog.access import PUBLIC, needs
from catalog.audit import recording
from catalog.audit.kinds import Action
from delivery.connectors.http.handshake import rate_of
from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.registry import ConnectorUnavailable
from delivery.connectors.spi import Checked, InvalidConfig, Step
from delivery.http import DeliveryError
from delivery.pages.preview import target_of
from delivery.peers import permissions
from delivery.peers.asking import ask_target
from delivery.peers.services import opened
from rules import registry, secrets
from rules.models import Target
from rules.pages.delivering import delivering

LONGEST = 70.0  # seconds; a connector's own time limit is shorter


@needs("rules.change_target")
@require_POST
def test_connection(request: HttpRequest) -> HttpResponse:
    """The editor's form: tries the settings as they are written, saved or not."""
    target = target_of(request)
    to = delivering(request, target)
    context: dict[str, Any] = {}
    if to.chosen is None:
        context["problem"] = _("It is made when the rule is saved: there is nothing to connect to yet.")
    elif not to.chosen.is_valid():
        wrong = [str(text) for texts in to.chosen.errors.values() for text in texts]
        context["problem"] = _("Mend the target's settings first: %(why)s") % {"why": " ".join(wrong)}
    else:
        name, config = to.chosen.connector.name, to.chosen.cleaned_data
        context |= _tried(name, config, target.pk if target else None)
    return _answer(request, context)


@needs("rules.change_target")
@require_POST
def test_target(request: HttpRequest, pk: int) -> HttpResponse:
    """A saved target: tries its settings."""
    found = get_object_or_404(Target, pk=pk)
    return _answer(request, _tried(found.connector, found.config, pk) | {"target": found})


@needs("rules.change_target")
@require_POST
def ask_permission(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks a target now whether it wants events, whatever it said before."""
    found = get_object_or_404(Target, pk=pk)
    try:
        said = asyncio.run(ask_target(found))
    except (DeliveryError, InvalidConfig, ConnectorUnavailable, TimeoutError, ValueError) as error:
        messages.error(request, _("It could not be asked. %(why)s") % {"why": error})
    else:
        recording.note(Action.SENT, found, "a request for permission", answered=str(said.state))
        if said.state == "granted":
            messages.success(request, _("Permission given. %(said)s") % {"said": said.detail})
        elif said.state == "asked":
            messages.info(request, _("Asked. %(said)s") % {"said": said.detail})
        else:
            messages.error(request, _("No permission. %(said)s") % {"said": said.detail})
    return redirect("target", pk)


@needs(PUBLIC)
@csrf_exempt
@require_http_methods(["GET", "POST"])
def webhook_permission(request: HttpRequest, key: str) -> HttpResponse:
    """A target agrees later, by the address that it was given (CloudEvents webhooks 1.0.2 §4.1.3)."""
    # A target that names no rate agrees to what it was asked for.
    rate, detail = rate_of(request.headers.get("WebHook-Allowed-Rate"))
    try:
        found = permissions.agree(
            key, request.headers.get("WebHook-Allowed-Origin", "").strip(), rate, detail
        )
    except ValueError as error:
        return HttpResponse(f"{error}\n", status=400, content_type="text/plain; charset=utf-8")
    if found is None:
        return HttpResponse(
            "Nobody is asking for permission at this address any more.\n",
            status=404,
            content_type="text/plain; charset=utf-8",
        )
    return HttpResponse(
        f"{found.origin} may send events to {found.url}. {found.detail}\n",
        content_type="text/plain; charset=utf-8",
    )


def _tried(name: str, config: dict[str, Any], saved: int | None) -> dict[str, Any]:
    """What a page shows of it: `checked`, and `where` it goes."""
    try:
        checked, hidden = asyncio.run(_checked(name, config, saved))
    except (InvalidConfig, ConnectorUnavailable) as error:
        return {"problem": str(error)}
    if checked is None:
        label = registry.label_of(name)
        return {"problem": _("%(label)s has no way to try a connection.") % {"label": label}}

    def discreet(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, secrets.MASK)
        return text

    return {
        "checked": checked,
        "steps": [(step, discreet(step.detail), step.took and step.took * 1000) for step in checked.steps],
        "answer": discreet(checked.excerpt_text),
        "where": registry.describe(name, config),
    }


async def _checked(name: str, config: dict[str, Any], saved: int | None) -> tuple[Checked | None, list[str]]:
    hidden: list[str] = []
    try:
        async with asyncio.timeout(LONGEST), opened(name, config, saved) as target:
            hidden = target.config.secret_texts() if isinstance(target, HTTPTarget) else []
            return await target.check(), hidden
    except (InvalidConfig, ConnectorUnavailable):
        raise
    except TimeoutError:
        why = _("It was not done within %(n)s seconds.") % {"n": int(LONGEST)}
    except Exception as error:  # a connector's own trouble is an answer here
        why = f"{type(error).__name__}: {error}"
    return Checked(steps=[Step(name=registry.label_of(name), ok=False, detail=why)]), hidden


def _answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    by_script = bool(request.headers.get("HX-Request"))
    return render(request, "delivery/tested.html" if by_script else "delivery/tested_page.html", context)
