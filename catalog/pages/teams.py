"""Teams: the list, the page of one with its members and what it owns, making, renaming and deleting one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog import owning, roles
from catalog.access import needs
from catalog.changes import OWN
from catalog.forms.owners import TeamForm
from catalog.forms.people import HeirForm, TeamNameForm
from catalog.models import Follow, Team, people
from catalog.ownership import refusal

CHANGES, DELETES = "catalog.change_team", "catalog.delete_team"
PAGE = 100
# Members whom a list offers; more are found by their name.
OFFERED = 500


@needs("catalog.view_team")
@require_safe
def teams(request: HttpRequest) -> HttpResponse:
    """The teams by name, with how many people they are and what they own; `?q=` searches names."""
    query = request.GET.get("q", "").strip()[:80]
    found = Team.objects.filter(name__icontains=query) if query else Team.objects.all()
    page = Paginator(found.annotate(people=Count("members")).order_by("name"), PAGE).get_page(
        request.GET.get("page")
    )
    counts = _counts([team.pk for team in page])
    mine = set(Team.objects.filter(members=request.user.pk).values_list("pk", flat=True))
    lines = [(team, counts.get(team.pk, {}), team.pk in mine) for team in page]
    context = {"page": page, "lines": lines, "query": query, "own": OWN}
    return render(request, "catalog/settings/teams.html", context)


def _counts(pks: list[int]) -> dict[int, dict[str, int]]:
    """How many event types and sources each team owns."""
    found: dict[int, dict[str, int]] = {}
    for name in ("event_types", "sources"):
        rows = Team.objects.filter(pk__in=pks).annotate(n=Count(name)).values_list("pk", "n")
        for pk, count in rows:
            found.setdefault(pk, {})[name] = count
    return found


@needs("catalog.add_team")
def new_team(request: HttpRequest) -> HttpResponse:
    """A form for a new team, whose first member is who makes it."""
    form = TeamNameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = TeamForm({"name": form.cleaned_data["name"]}, user=request.user)
        if made.is_valid():
            team = made.save()
            messages.success(request, _("%(team)s is made. You are its first member.") % {"team": team.name})
            return redirect("team", team.slug)
    return render(request, "catalog/settings/new_team.html", {"form": form})


@needs("catalog.view_team")
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """One team: its name, its members with their roles, what it owns and who follows it."""
    found = get_object_or_404(Team, slug=slug)
    why_not = owning.refusal(found) or refusal(request.user, found, CHANGES)
    form = TeamNameForm(request.POST or None, instance=found)
    if request.method == "POST" and not why_not and form.is_valid():
        form.save()
        messages.success(request, _("The team is called %(team)s now.") % {"team": found.name})
        return redirect("team", found.slug)
    # What the form refused is no name of the team.
    called = Team.objects.get(pk=found.pk).name
    members = Paginator(roles.with_roles().filter(teams=found).order_by("username"), PAGE).get_page(
        request.GET.get("page")
    )
    others = people().filter(is_active=True).exclude(teams=found).order_by("username")
    context: dict[str, Any] = {
        "team": found,
        "called": called,
        "form": form,
        "why_not": why_not,
        "why_not_delete": owning.refusal(found) or refusal(request.user, found, DELETES),
        "members": members,
        "others": others[:OFFERED] if not why_not else [],
        "owned": owning.of_team(found),
        "followers": Follow.objects.filter(kind=Follow.Kind.TEAM, key=found.slug).count(),
    }
    status = 403 if request.method == "POST" and why_not else 200
    return render(request, "catalog/settings/team.html", context, status=status)


@needs(CHANGES)
@require_POST
def team_members(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes `member` (a sign-in name) into the team (`do=add`) or out of it (`do=remove`)."""
    found = get_object_or_404(Team, slug=slug)
    if why_not := owning.refusal(found) or refusal(request.user, found, CHANGES):
        messages.error(request, why_not)
        return redirect("team", slug)
    name = request.POST.get("member", "").strip()
    member = people().filter(username=name).first()
    if member is None:
        messages.error(
            request,
            _("Nobody is called “%(name)s”. Write a sign-in name of the list.") % {"name": name[:150]},
        )
    elif request.POST.get("do") == "remove":
        found.members.remove(member)
        messages.success(
            request, _("%(name)s is no longer in %(team)s.") % {"name": name, "team": found.name}
        )
    elif not member.is_active:
        messages.error(request, _("%(name)s is switched off. Switch the member on first.") % {"name": name})
    else:
        found.members.add(member)
        messages.success(request, _("%(name)s is in %(team)s now.") % {"name": name, "team": found.name})
    return redirect("team", slug)


@needs(DELETES)
def delete_team(request: HttpRequest, slug: str) -> HttpResponse:
    """Says what the team owns and who follows it, asks who takes it over, and deletes the team."""
    found = get_object_or_404(Team, slug=slug)
    why_not = owning.refusal(found) or refusal(request.user, found, DELETES)
    owned = owning.of_team(found)
    moving = [one for one in owned if one.owned.move is not None]
    form = HeirForm(request.POST if request.method == "POST" else None, team=found, needed=bool(moving))
    if request.method == "POST" and not why_not and form.is_valid():
        try:
            owning.delete(found, form.cleaned_data["to"], request.user)
        except owning.NotMovable as error:
            form.add_error("to", str(error))
        else:
            messages.success(request, _("The team %(team)s is deleted.") % {"team": found.name})
            return redirect("teams")
    context = {
        "team": found,
        "why_not": why_not,
        "form": form,
        "moving": moving,
        "going": [one for one in owned if one.owned.move is None],
        "members": found.members.count(),
        "alone": moving and not Team.objects.exclude(Q(pk=found.pk) | Q(slug=OWN)).exists(),
    }
    status = 200 if request.method != "POST" else 403 if why_not else 422
    return render(request, "catalog/settings/delete_team.html", context, status=status)
