"""Versions of an event type: the difference of any two, and which one counts for events that name none."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog import lifecycle
from catalog.access import needs
from catalog.display.text_diff import changed_lines, json_lines
from catalog.models import EventType, Lifecycle, SchemaVersion
from catalog.ownership import owns
from catalog.pages.event_type import found_type
from catalog.schemas.difference import Change, Effect, difference
from catalog.schemas.text import NotJson, parse
from catalog.verdicts import told

CHANGES = 200


class Told(NamedTuple):
    """A change, and what it means to listeners that read by the older version and to publishers that go on by it."""

    change: Change
    readers: tuple[str, str]
    writers: tuple[str, str]


def _effect(effect: Effect, safe: str, caution: str, breaks: str) -> tuple[str, str]:
    kinds = {
        Effect.NONE: ("idle", _("only words")),
        Effect.SAFE: ("ok", safe),
        Effect.CAUTION: ("warn", caution),
        Effect.BREAKS: ("bad", breaks),
    }
    return kinds[effect]


def _told(change: Change) -> Told:
    readers = _effect(
        change.effect_on_readers, _("listeners go on"), _("listeners see new values"), _("listeners break")
    )
    writers = _effect(
        change.effect_on_writers,
        _("old events fit"),
        _("some old events do not fit"),
        _("old events do not fit"),
    )
    return Told(change, readers, writers)


@needs("catalog.view_eventtype")
@require_safe
def compare(request: HttpRequest, name: str) -> HttpResponse:
    """What changed from version `?from=` to version `?to=`; without them from the last but one to the last."""
    found = found_type(name)
    numbers = list(found.versions.order_by("-number").values_list("number", flat=True))
    before, after = _asked(request, numbers)
    context: dict[str, object] = {"type": found, "numbers": numbers, "from": before, "to": after}
    if before is not None and after is not None:
        versions = {
            one.number: one
            for one in found.versions.select_related("created_by").filter(number__in=(before, after))
        }
        context |= _differences(versions[before], versions[after])
        latest = versions[max(before, after)]
        context["latest"] = latest
        # What a version was judged against is the one before it.
        context["verdict"] = told(latest) if abs(after - before) == 1 else None
    return render(request, "catalog/compare_versions.html", context)


def _asked(request: HttpRequest, numbers: list[int]) -> tuple[int | None, int | None]:
    if len(numbers) < 2:
        return None, None
    asked = [
        int(text) if (text := request.GET.get(name, "")).isdecimal() and len(text) < 9 else 0
        for name in ("from", "to")
    ]
    to = asked[1] if asked[1] in numbers else numbers[0]
    # The version before it, for the oldest the one after it.
    other = next((number for number in numbers if number < to), numbers[-2])
    return (asked[0] if asked[0] in numbers else other), to


def _differences(before: SchemaVersion, after: SchemaVersion) -> dict[str, object]:
    try:
        old, new = parse(before.schema), parse(after.schema)
    except NotJson:
        return {"unreadable": True}
    changes = difference(old, new)
    return {
        "changes": [_told(one) for one in changes[:CHANGES]],
        "more": max(len(changes) - CHANGES, 0),
        "diff": changed_lines(json_lines(old), json_lines(new)),
    }


@needs("catalog.change_eventtype")
@require_POST
def set_default(request: HttpRequest, name: str) -> HttpResponse:
    """Makes `version` (a number; "" is the newest that is active) count for events that name none. Owners only."""
    found = found_type(name)
    if not owns(request.user, found):
        refused = _("Only members of %(team)s may choose the default.") % {"team": found.team}
        return render(request, "components/refused.html", {"message": refused}, status=403)
    was = found.default_version.number if found.default_version is not None else ""
    asked = request.POST.get("version", "")
    chosen = _chosen(found, asked)
    page = reverse("event-type", args=[found.name])
    if asked and chosen is None:
        messages.error(request, _("There is no such version that can be the default."))
        return redirect(page)
    lifecycle.set_default(found, chosen, request.user)
    if chosen is None:
        messages.success(request, _("The newest version is the default again."))
    else:
        messages.success(request, _("Version %(n)s is the default now.") % {"n": chosen.number})
    return redirect(page if "undo" in request.POST else f"{page}?{urlencode({'was': was})}#versions")


def _chosen(found: EventType, asked: str) -> SchemaVersion | None:
    if not asked.isdecimal() or len(asked) > 8:
        return None
    gone = (Lifecycle.RETIRED, Lifecycle.DRAFT)
    return found.versions.filter(number=asked).exclude(lifecycle__in=gone).first()
