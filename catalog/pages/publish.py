"""Publishing a test event from the console, through the same ingest as everybody's."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from catalog.access import needs
from catalog.audit import recording
from catalog.audit.kinds import Action
from catalog.facts import PublishRefused, facts
from catalog.forms.publish import PublishForm
from catalog.models import Bus, EventType
from catalog.personal import shown_to
from catalog.schemas.fields import Field, fields_of
from catalog.schemas.text import NotJson, parse
from catalog.schemas.validator import SchemaRefused, compile_schema
from catalog.snippets import example_of

RECENT = 50


@needs("catalog.change_eventtype")
def publish(request: HttpRequest, name: str) -> HttpResponse:
    """A form made from the newest schema (`?as=json`: one JSON text); after publishing, the event that was stored."""
    found = get_object_or_404(EventType.objects.select_related("domain"), name=name)
    tree = _members(found)
    as_json = request.GET.get("as") == "json" or not tree
    form = PublishForm(
        request.POST or None, event_type=found, fields=() if as_json else tree, example=example_of(found)
    )
    if request.method == "POST" and form.is_valid():
        source = form.by_uri.get(form.cleaned_data["source"])
        bus = source.bus if source else Bus.objects.offered().first()
        event = _event(found, form)
        try:
            stored = facts().publish(
                bus.name if bus else "main", json.dumps(event, ensure_ascii=False).encode()
            )
        except PublishRefused as refused:
            for reason, pointer in _reasons(found, form.value, refused):
                form.refuse(reason, pointer)
        else:
            recording.note(Action.SENT, found, f"event {stored.id}")
            mode = "json" if as_json else "form"
            return redirect(f"{reverse('publish', args=[found.name])}?as={mode}&stored={stored.seq}")
    seq = request.GET.get("stored", "")
    stored_event = None
    if seq.isdecimal() and request.method == "GET":
        stored_event = next(
            (event for event in facts().recent(found.name, RECENT) if event.seq == int(seq)), None
        )
    if stored_event is not None:
        shown = shown_to(request.user, found.name, stored_event.raw).text
        stored_event = stored_event._replace(raw=shown.encode())
    context = {"type": found, "form": form, "as_json": as_json, "both": bool(tree), "stored": stored_event}
    return render(request, "catalog/publish.html", context)


def _members(found: EventType) -> tuple[Field, ...]:
    """The fields a form can be made of; none when data is no object or there is no schema."""
    newest = found.latest
    try:
        fields = fields_of(parse(newest.schema)) if newest else ()
    except NotJson:
        return ()
    return () if any(not field.path for field in fields) else fields


def _reasons(found: EventType, data: Any, refused: PublishRefused) -> list[tuple[str, str | None]]:
    """Every way in which `data` does not fit, each with its pointer, when that is why the ingest refused it."""
    newest = found.latest
    if newest is not None and (refused.pointer or "").startswith("/data"):
        try:
            violations = compile_schema(newest.schema).errors(data)
        except SchemaRefused:
            violations = []
        if violations:
            return [(violation.message, f"/data{violation.pointer}") for violation in violations]
    return [(refused.reason, refused.pointer)]


def _event(found: EventType, form: PublishForm) -> dict[str, Any]:
    given = form.cleaned_data
    event = {
        "specversion": "1.0",
        "id": form.event_id(),
        "source": given["source"],
        "type": found.name,
        "time": timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
    }
    if given["subject"]:
        event["subject"] = given["subject"]
    return event | {"data": form.value}
