"""The life of an event type: where it stands, who still uses it, and the forms that move it on or back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog import lifecycle as life
from catalog.access import needs
from catalog.forms.lifecycle import FarewellForm, InsteadForm, NameForm
from catalog.models import EventType, Lifecycle, SchemaVersion
from catalog.ownership import refusal

CHANGES = "catalog.change_eventtype"
SHOWN_VERSIONS, SUGGESTED = 100, 20
_TO = {"activate": Lifecycle.ACTIVE, "deprecate": Lifecycle.DEPRECATED, "retire": Lifecycle.RETIRED}


def _found(name: str) -> EventType:
    return get_object_or_404(
        EventType.objects.select_related("domain", "team", "successor__domain", "default_version"), name=name
    )


@needs("catalog.view_eventtype")
def lifecycle(request: HttpRequest, name: str) -> HttpResponse:
    """Where a type and its versions stand, and the forms for owners. `?version=` is about one version.

    POST: `do` is activate, deprecate or retire; `version` a number.
    """
    found = _found(name)
    written = (request.POST if request.method == "POST" else request.GET).get("version", "")
    version = None
    if written:
        versions = (
            found.versions.filter(number=int(written)) if written.isdecimal() else found.versions.none()
        )
        version = get_object_or_404(versions)
    why_not = refusal(request.user, found.team, CHANGES)
    page = _VersionPage(request, found, version) if version is not None else _TypePage(request, found)
    status = 200
    if request.method == "POST":
        if why_not:
            status = 403
        elif (answer := page.move(request.POST.get("do", ""))) is not None:
            return answer
        else:
            status = 422
    context = page.context() | {"type": found, "why_not": why_not, "problem": page.problem}
    return render(request, "catalog/lifecycle.html", context, status=status)


class _TypePage:
    """The page of the whole type."""

    def __init__(self, request: HttpRequest, found: EventType) -> None:
        self.request, self.found, self.problem = request, found, ""
        self.ready = life.readiness(found)
        self.do = request.POST.get("do", "")
        self.form = FarewellForm(
            request.POST if self.do == "deprecate" else None, event_type=found, auto_id="id_%s"
        )
        self.name = NameForm(
            request.POST if self.do == "retire" else None, name=found.name if self.ready.used else ""
        )

    def move(self, do: str) -> HttpResponse | None:
        """What was asked for; None when it was not done, and the page says why."""
        user, found = self.request.user, self.found
        try:
            if do == "deprecate" and self.form.is_valid():
                life.deprecate(found, self.form.farewell(), user)
                said = _("%(name)s is deprecated. Publishers are told with every event.")
            elif do == "retire" and self.name.is_valid():
                life.retire(found, user)
                said = _("%(name)s is retired: its events are refused from now on.")
            elif do == "activate":
                life.activate(found, user)
                said = _("%(name)s is active.")
            else:
                return None
        except life.NotPossible as error:
            self.problem = str(error)
            return None
        messages.success(self.request, said % {"name": found.name})
        return redirect("event-type", name=found.name)

    def context(self) -> dict[str, Any]:
        """What the template shows."""
        versions = [
            (one, self.ready.versions.get(one.number, 0), self.ready.of_version(one.number))
            for one in self.found.versions.order_by("-number")[:SHOWN_VERSIONS]
        ]
        states = list(Lifecycle.values)
        at = states.index(self.found.lifecycle)
        return {
            "ready": self.ready,
            "form": self.form,
            "name_form": self.name,
            "versions": versions,
            "unnamed": self.ready.versions.get(0, 0),
            "current": self.found.current,
            "stops": [
                (label, "now" if place == at else "passed" if place < at else "ahead")
                for place, label in enumerate(Lifecycle.labels)
            ],
            "moves": life.MOVES[self.found.lifecycle],
        }


class _VersionPage:
    """The page about one version."""

    def __init__(self, request: HttpRequest, found: EventType, version: SchemaVersion) -> None:
        self.request, self.found, self.version, self.problem = request, found, version, ""
        self.ready = life.readiness(found)
        self.events = self.ready.versions.get(version.number, 0)
        self.others = life.going_on(found, version)
        current = found.current
        do = request.POST.get("do", "")
        self.form = InsteadForm(
            request.POST if do in ("deprecate", "retire") else None,
            others=self.others,
            version=version,
            needed=current is not None and current.pk == version.pk,
        )
        self.name = NameForm(request.POST if do == "retire" else None, name=found.name if self.events else "")

    def move(self, do: str) -> HttpResponse | None:
        """As of a type."""
        to, valid = _TO.get(do), True
        if to is None:
            return None
        instead = ends_on = None
        if to != Lifecycle.ACTIVE and self.others:
            valid = self.form.is_valid()
            instead = self.form.cleaned_data.get("instead") if valid else None
            ends_on = self.form.cleaned_data.get("ends_on") if valid else None
        if to == Lifecycle.RETIRED:
            valid = self.name.is_valid() and valid
        if not valid:
            return None
        try:
            life.move_version(self.version, to, self.request.user, instead, ends_on)
        except life.NotPossible as error:
            self.problem = str(error)
            return None
        said = {
            Lifecycle.ACTIVE: _("Version %(number)s is active."),
            Lifecycle.DEPRECATED: _(
                "Version %(number)s is deprecated. Publishers are told with every event."
            ),
            Lifecycle.RETIRED: _("Version %(number)s is retired: events that name it do not fit any more."),
        }[to]
        messages.success(self.request, said % {"number": self.version.number})
        return redirect("type-lifecycle", name=self.found.name)

    def context(self) -> dict[str, Any]:
        """What the template shows."""
        return {
            "ready": self.ready,
            "version": self.version,
            "events": self.events,
            "sentence": self.ready.of_version(self.version.number),
            "others": self.others,
            "form": self.form,
            "name_form": self.name,
            "moves": life.MOVES[self.version.lifecycle],
        }


@needs("catalog.view_eventtype")
@require_safe
def readiness(request: HttpRequest, name: str) -> HttpResponse:
    """For htmx on the type's page: what still uses a type that ends; nothing for those who do not decide about it."""
    found = _found(name)
    if refusal(request.user, found.team, CHANGES):
        return HttpResponse("")
    return render(request, "catalog/type/readiness.html", {"type": found, "ready": life.readiness(found)})


@needs("catalog.view_eventtype")
@require_safe
def successors(request: HttpRequest, name: str) -> HttpResponse:
    """For htmx: names of types that hold `?successor=`, as options of a datalist."""
    typed = request.GET.get("successor", "").strip()
    names = (
        EventType.objects.filter(name__icontains=typed)
        .exclude(name=name)
        .exclude(lifecycle=Lifecycle.RETIRED)
    )
    listed = names.values_list("name", flat=True)[:SUGGESTED] if typed else []
    return render(request, "catalog/type/successors.html", {"names": listed})
