"""Sending one past event for real, by hand, from the rule editor: asks first, sends once, keeps what came back.

A trial is no delivery: no cursor moves, nothing is tried again. The event carries the extension attribute `trial`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.models import Team
from delivery.connectors.spi import (
    Delivered,
    Delivery,
    Gone,
    InvalidConfig,
    Misconfigured,
    Outcome,
    Reject,
    Retry,
)
from delivery.pages import samples
from delivery.pages.outgoing import Outgoing, delivery_of, outgoing
from delivery.pages.preview import name_for, target_of
from delivery.pages.samples import Seen
from delivery.pages.veil import sends_hidden
from delivery.peers.services import opened
from delivery.runner.judging import judged
from rules import personal, registry, secrets
from rules.draft import Draft
from rules.engine import TransformError, compile
from rules.forms import bus_in, number_of
from rules.models import Trial
from rules.pages.delivering import Delivering, delivering

LONGEST = 70.0  # seconds; a connector's own time limit is shorter
KINDS: tuple[tuple[type[Outcome], str], ...] = (
    (Delivered, "delivered"),
    (Retry, "retry"),
    (Reject, "rejected"),
    (Misconfigured, "misconfigured"),
    (Gone, "gone"),
)


@needs("rules.change_target")
@require_POST
def trial(request: HttpRequest) -> HttpResponse:
    """The editor's form with `trial` "ask" (what would be sent, and to whom), "send", or "close"."""
    step = request.POST.get("trial", "ask")
    if step == "close":
        return HttpResponse("")
    draft, target = Draft.read(request.POST, trying=True), target_of(request)
    to = delivering(request, target)
    event = _event(request, draft)
    problem = (
        _cannot(draft, to, event)
        or _hidden(request, to.sends(draft.transform or {}), event)
        or _not_approved(request, to.sends(draft.transform or {}), event)
    )
    context: dict[str, Any] = {"problem": problem, "event": event, "by_script": _by_script(request)}
    if not problem:
        assert event is not None
        assert to.chosen is not None
        assert draft.transform is not None
        name, config = to.chosen.connector.name, to.chosen.cleaned_data
        context |= {
            "target": request.POST.get("target-name", "").strip() or name_for(request, to),
            "where": registry.describe(name, config),
        }
        raw = marked(event.event.to_json())
        if step == "send":
            context["trial"] = _send(request, draft, to, event, raw, str(context["where"]))
        else:
            context["out"] = _shown(name, config, draft, raw)
            context["kept"] = list(_kept(request, to))
    page = "delivery/trial.html" if _by_script(request) else "delivery/trial_page.html"
    return render(request, page, context)


def marked(raw: bytes) -> bytes:
    """The event with the extension attribute `trial`, so that a receiver can tell it from a delivery."""
    members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(members | {"trial": msgspec.Raw(b"true")})


def _by_script(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _event(request: HttpRequest, draft: Draft) -> Seen | None:
    """The event that the editor shows, else the newest one that the rule takes."""
    selected = request.POST.get("selected", "")
    if selected.isdecimal() and (chosen := samples.one(int(selected))) is not None:
        return chosen
    bus = bus_in(request.POST)
    if bus is None or draft.filter is None:
        return None
    matching = compile([(1, draft.filter)])
    found = samples.newest(bus.pk, draft.sampled, samples.LATEST)
    return next((seen for seen in found if matching.match(seen.event)), None)


def _cannot(draft: Draft, to: Delivering, event: Seen | None) -> str:
    """Why nothing can be sent, in a sentence; "" when it can."""
    if event is None:
        return _("There is no past event to send. Choose one in the list, or wait for the first.")
    if draft.transform is None:
        return _("Mend what is sent first: %(why)s") % {
            "why": " ".join(one.message for one in draft.problems if not one.place.startswith("row-"))
        }
    if to.chosen is None:
        return _("The request bin is made when the rule is saved. Save the draft, then send one.")
    if not to.chosen.is_valid():
        wrong = [str(text) for texts in to.chosen.errors.values() for text in texts]
        return _("Mend the target's settings first: %(why)s") % {"why": " ".join(wrong)}
    return ""


def _not_approved(request: HttpRequest, sends: Mapping[str, Any], event: Seen | None) -> str:
    """Why the rule's team must not be sent this event's personal fields, in a sentence; "" when it may."""
    written = number_of(request.POST.get("team"))
    rule = number_of(request.POST.get("rule"))
    team = Team.objects.filter(pk=written).first() if written is not None else None
    if team is None and rule is not None:
        team = Team.objects.filter(rules=rule).first()
    kind = str(event.event.attributes.get("type", "")) if event is not None else ""
    return personal.refusal_of_one(kind, team, sends, request.user)


def _hidden(request: HttpRequest, sends: Mapping[str, Any], event: Seen | None) -> str:
    """Why a person may not send this event, in a sentence; "" when it holds nothing that is hidden from them."""
    if event is None or not sends_hidden(request.user, event, sends):
        return ""
    return _(
        "This would send personal data that you may not see. Leave these fields out, or let the event's owner send one."
    )


def _shown(name: str, config: dict[str, Any], draft: Draft, raw: bytes) -> Outgoing:
    return outgoing(name, config, draft.transform or {}, raw, now=True)


def _send(request: HttpRequest, draft: Draft, to: Delivering, event: Seen, raw: bytes, where: str) -> Trial:
    assert to.chosen is not None
    delivery_id = f"msg_trial_{uuid.uuid4().hex}"
    began = time.perf_counter()
    try:
        delivery = delivery_of(raw, draft.transform or {}, delivery_id)
        saved = number_of(request.POST.get("target"))
        outcome = asyncio.run(_once(to.chosen.connector.name, to.chosen.cleaned_data, saved, delivery))
    except TransformError as error:
        outcome = Reject(reason=_("The transform failed: %(why)s") % {"why": error.message})
    except InvalidConfig as error:
        outcome = Misconfigured(reason=str(error))
    rule, target = request.POST.get("rule", ""), request.POST.get("target", "")
    return Trial.objects.create(
        rule_id=int(rule) if rule.isdecimal() else None,
        target_id=int(target) if target.isdecimal() else None,
        target=(request.POST.get("target-name", "").strip() or name_for(request, to))[:120],
        where=where[:500],
        seq=event.seq,
        event_id=event.ce_id[:255],
        delivery_id=delivery_id,
        outcome=next(kind for made, kind in KINDS if isinstance(outcome, made)),
        status=getattr(outcome, "status", None),
        reason=getattr(outcome, "reason", ""),
        response=outcome.excerpt_text.replace("\x00", "\ufffd"),
        took=(time.perf_counter() - began) * 1000,
        by_id=request.user.pk,
    )


async def _once(name: str, config: dict[str, Any], saved: int | None, delivery: Delivery) -> Outcome:
    """One attempt through the connector and the client that checks addresses, as the runner makes it."""
    try:
        async with asyncio.timeout(LONGEST), opened(name, config, saved) as target:
            return judged(await target.send(delivery), {}, target.addressed_by_event)
    except InvalidConfig:
        raise
    except TimeoutError:
        return Retry(reason=_("No answer within %(n)s seconds.") % {"n": int(LONGEST)})
    except Exception as error:
        return Retry(reason=f"{type(error).__name__}: {error}")


def _kept(request: HttpRequest, to: Delivering) -> Iterator[tuple[str, str]]:
    """What the form held, but for secrets: the page that asks sends it again where there is no script."""
    assert to.chosen is not None
    properties = to.chosen.connector.schema["properties"]
    hidden = {to.chosen.add_prefix(name) for name, schema in properties.items() if secrets.is_secret(schema)}
    urls = {to.chosen.add_prefix(name) for name, schema in properties.items() if secrets.is_url(schema)}
    for name, values in request.POST.lists():
        if name in ("trial", "csrfmiddlewaretoken"):
            continue
        for value in map(str, values):
            if name in hidden:
                # Dots stand for what is stored; what was just typed does not go into a page.
                value = "\n".join(line for line in value.splitlines() if line.endswith(secrets.MASK))
            elif name in urls:
                value = secrets.masked_url(value)
            yield name, value
