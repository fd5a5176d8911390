"""Registering an event type, editing what it says, and registering its next version."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog import importing
from catalog.access import needs
from catalog.drafts import content_of, drafts_of, keep, opened
from catalog.forms.event_types import EditForm, VersionForm, initial_of
from catalog.forms.registering import RegisterPageForm
from catalog.models import Draft, EventType, Source
from catalog.pages.checking import comparison
from catalog.pages.kept import kept_by_us
from catalog.pages.pasting import FRESH, below, fresh_marks, read_version, several

ORIGIN = 20


def _found(name: str) -> EventType:
    return get_object_or_404(EventType.objects.select_related("domain", "team"), name=name)


@needs("catalog.add_eventtype")
def register(request: HttpRequest) -> HttpResponse:
    """A form for a new event type with its first version; `?draft=` opens a draft in it.

    `action` says what is pressed: register, draft, read (the pasted text), another (example), several, several-drafts.
    """
    draft = opened(request.user, request.POST.get("draft") or request.GET.get("draft", ""), None)
    if draft is not None and importing.is_import(draft):
        return redirect("import-run", pk=draft.pk)
    if request.method != "POST":
        return _page(request, _fresh(request, draft))
    match request.POST.get("action") or ("read" if "open" in request.POST else "register"):
        case "read":
            return _page(request, below(request))
        case "several" | "several-drafts":
            return several(request)
        case "draft":
            return _kept(request, content_of(request.POST, RegisterPageForm.keeps), draft)
        case "another":
            content = content_of(request.POST, RegisterPageForm.keeps)
            content["examples"].append({"name": "", "data": ""})
            return _page(request, _filled(request, content, draft))
    return _register(request, draft)


def _register(request: HttpRequest, draft: Draft | None) -> HttpResponse:
    origin = request.POST.get("origin", "")[:ORIGIN]
    form = RegisterPageForm(request.POST, user=request.user, origin=origin)
    if form.is_valid():
        try:
            saved = form.save()
        except IntegrityError:
            form.add_error(
                "name", _("Somebody registered this name just now. Open that type, or choose another name.")
            )
        else:
            if draft is not None:
                draft.delete()
            messages.success(request, _("%(name)s is on the shelf.") % {"name": saved})
            return redirect("event-type", name=saved.name)
    return _page(
        request, {"form": form, "origin": origin, "taken": request.POST.get("taken", ""), "draft": draft}
    )


def _fresh(request: HttpRequest, draft: Draft | None) -> dict[str, Any]:
    if draft is not None:
        return _filled(request, draft.content, draft)
    initial: dict[str, Any] = {"name": request.GET.get("name", "")[:255], **FRESH}
    if source := request.GET.get("source"):
        initial["sources"] = list(Source.objects.offered().filter(slug=source))
    return {"form": RegisterPageForm(user=request.user, initial=initial), "taken": json.dumps(fresh_marks())}


def _filled(request: HttpRequest, content: dict[str, Any], draft: Draft | None) -> dict[str, Any]:
    form = RegisterPageForm(user=request.user, initial=initial_of(content))
    origin = draft.origin if draft else request.POST.get("origin", "")
    return {"form": form, "draft": draft, "origin": origin, "taken": request.POST.get("taken", "")}


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    draft = context.get("draft")
    about = {
        "draft_id": draft.pk if draft else request.POST.get("draft", ""),
        "drafts": drafts_of(request.user).count(),
        "pasted": request.POST.get("document", ""),
    }
    return render(request, "catalog/register.html", about | context)


def _kept(
    request: HttpRequest, content: dict[str, Any], draft: Draft | None, event_type: EventType | None = None
) -> HttpResponse:
    origin = request.POST.get("origin", "")[:ORIGIN]
    kept = keep(request.user, content, draft, event_type=event_type, origin=origin)
    messages.success(request, _("Kept as a draft. Nothing is public yet."))
    page = reverse("register-version", args=[event_type.name]) if event_type else reverse("register-type")
    return redirect(f"{page}?draft={kept.pk}")


@needs("catalog.change_eventtype")
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """A form for what a type says about itself."""
    found = _found(name)
    if refused := kept_by_us(request, found):
        return refused
    form = EditForm(request.POST or None, user=request.user, event_type=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("%(name)s is saved.") % {"name": found})
        return redirect("event-type", name=found.name)
    return render(request, "catalog/edit_type.html", {"form": form, "type": found})


@needs("catalog.add_schemaversion")
def register_version(request: HttpRequest, name: str) -> HttpResponse:
    """A form for the next version; `?draft=` opens a draft in it. Versions before it stay as they are."""
    found = _found(name)
    if refused := kept_by_us(request, found):
        return refused
    draft = opened(request.user, request.POST.get("draft") or request.GET.get("draft", ""), found)
    origin = (draft.origin if draft else request.POST.get("origin", ""))[:ORIGIN]
    about: dict[str, Any] = {"event_type": found, "user": request.user, "origin": origin}
    action, reading = request.POST.get("action", ""), None
    if request.method == "POST" and action == "draft":
        return _kept(request, content_of(request.POST, VersionForm.keeps), draft, found)
    if request.method == "POST" and action == "another":
        content = content_of(request.POST, VersionForm.keeps)
        content["examples"].append({"name": "", "data": ""})
        form = VersionForm(initial=_of_version(content), **about)
    elif request.method == "POST" and action == "read":
        reading, data = read_version(request, found.name)
        about["origin"] = reading.origin if reading and reading.origin else origin
        form = VersionForm(data, **about)
    elif request.method == "POST":
        form = VersionForm(request.POST, **about)
        if action != "check" and form.is_valid() and (saved := _saved(request, form, draft)):
            return saved
    else:
        form = VersionForm(initial=_of_version(draft.content) if draft else None, **about)
    last = found.latest
    context = {"form": form, "type": found, "number": (last.number if last else 0) + 1, "origin": form.origin}
    context |= {"draft_id": draft.pk if draft else "", "last": last}
    context |= {"reading": reading, "pasted": request.POST.get("document", "")}
    if form.is_bound:
        context |= comparison(form)
    return render(request, "catalog/register_version.html", context)


def _of_version(content: dict[str, Any]) -> dict[str, Any]:
    """A draft's content for the version form; what it does not say is left as the last version has it."""
    found = initial_of(content)
    return {name: found[name] for name in VersionForm.keeps if name in content and name in found}


def _saved(request: HttpRequest, form: VersionForm, draft: Draft | None) -> HttpResponse | None:
    try:
        saved = form.save()
    except IntegrityError:
        form.add_error(
            None, _("Somebody registered a version just now. Look at it before you register yours.")
        )
        return None
    if draft is not None:
        draft.delete()
    messages.success(request, _("Version %(number)s is registered.") % {"number": saved.number})
    return redirect("event-type", name=form.event_type.name)
