"""What a person follows, and how they are told: in the console, by mail, in a feed."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.access import needs
from catalog.audit.kinds import Action
from catalog.audit.objects import PERSON
from catalog.audit.recording import write
from catalog.changes import OWN
from catalog.following import follows, mail
from catalog.forms.console import ConsoleFields
from catalog.models import EventType, Follow, Reader, Source, Team, people
from catalog.pages.changes import SEES, digest_of, rule_url

ON_PAGE = 100
TEAMS = 500
# The cookie that carries a new key to the page that shows it once.
MADE, MADE_SECONDS = "made-feed", 60


class AddressForm(ConsoleFields, forms.Form):
    """Where mail goes."""

    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("Empty: no mail."),
    )


@needs(SEES)
@never_cache
@require_safe
def following(request: HttpRequest) -> HttpResponse:
    """The list, and the ways to be told."""
    return _page(request, AddressForm(initial={"email": getattr(request.user, "email", "")}))


def _page(request: HttpRequest, form: AddressForm) -> HttpResponse:
    found = follows.follows_of(request.user).select_related("team").order_by("kind", "key", "pk")
    page = Paginator(found, ON_PAGE).get_page(request.GET.get("page"))
    _name(page.object_list)
    carried = request.get_signed_cookie(MADE, default="", max_age=MADE_SECONDS)
    key = carried if request.method == "GET" else ""
    context = {
        "page": page,
        "teams": Team.objects.exclude(slug=OWN)[:TEAMS],
        "mine": _teams(request)[:TEAMS],
        "form": form,
        "server": mail.server_is_set(),
        "reader": Reader.objects.filter(user=request.user.pk).first(),
        "address": request.build_absolute_uri(f"{reverse('changes-atom')}?follow={key}") if key else "",
        "rule_url": rule_url(),
    }
    answer = render(request, "catalog/changes/following.html", context)
    if carried:
        answer.delete_cookie(MADE, path=reverse("following"), samesite="Strict")
    return answer


@needs(SEES)
@require_POST
def follow(request: HttpRequest) -> HttpResponse:
    """Begins (`do=follow`), ends (`stop`) or changes (`mail`, `quiet`) following `kind` and `key`, for `team` if named.

    htmx gets the button anew, everybody else the page they came from.
    """
    kind, key, do = (request.POST.get(name, "") for name in ("kind", "key", "do"))
    team = get_object_or_404(_teams(request), slug=request.POST["team"]) if request.POST.get("team") else None
    holder: dict[str, Any] = {"team": team} if team is not None else {"user": request.user}
    if do == "stop":
        follows.stop(kind, key, **holder)
    elif do in ("follow", "mail", "quiet"):
        known = Follow.objects.filter(kind=kind, key=key, **holder).exists()
        if not known and not follows.exists(kind, key):
            return HttpResponse(_("There is nothing of this name to follow."), status=404)
        if do == "follow" and not known:
            follows.start(kind, key, **holder)
        elif do != "follow":
            follows.start(kind, key, mail=do == "mail", **holder)
    else:
        return HttpResponse(_("Say what to do: follow, stop, mail or quiet."), status=400)
    if request.headers.get("HX-Request"):
        return render(request, "catalog/changes/button_alone.html", {"kind": kind, "key": key})
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "following")


@needs(SEES)
@require_POST
def feed_key(request: HttpRequest) -> HttpResponse:
    """Makes the address of the person's feed anew, so that an old one is worth nothing, or revokes it."""
    answer = redirect("following")
    if request.POST.get("do") == "revoke":
        if (
            Reader.objects.filter(user=request.user.pk)
            .exclude(feed_digest="")
            .update(feed_digest="", feed_made_at=None)
        ):
            _note(request, Action.REVOKED)
        messages.success(request, _("The address of your feed is revoked."))
        return answer
    key = secrets.token_urlsafe(32)
    Reader.objects.update_or_create(
        user_id=request.user.pk or 0, defaults={"feed_digest": digest_of(key), "feed_made_at": timezone.now()}
    )
    _note(request, Action.CREATED)
    # In a cookie of that page alone: the database and the session must not hold it.
    answer.set_signed_cookie(
        MADE, key, max_age=MADE_SECONDS, path=reverse("following"),
        secure=request.is_secure(), httponly=True, samesite="Strict",
    )  # fmt: skip
    return answer


def _note(request: HttpRequest, action: Action) -> None:
    name = request.user.get_username()
    write(action, PERSON, name, name, note="the address of the feed of what they follow")


@needs(SEES)
@require_POST
def mail_address(request: HttpRequest) -> HttpResponse:
    """Saves where the person's mail goes."""
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    person = people().get(pk=request.user.pk)
    person.email = form.cleaned_data["email"]
    person.save(update_fields=["email"])
    Reader.objects.filter(user=request.user.pk).update(mail_after=None, mail_tries=0, mail_trouble="")
    messages.success(request, _("Your e-mail address is saved."))
    return redirect("following")


def _teams(request: HttpRequest) -> Any:
    """The teams for which the person may follow: their own."""
    return Team.objects.filter(members=request.user.pk)


def _name(rows: Any) -> None:
    """Gives each follow of the page its `name`, its `url`, and whether what it is about is `gone`."""
    keys: dict[str, set[str]] = {
        kind: {row.key for row in rows if row.kind == kind} for kind in Follow.Kind.values
    }
    types = set(EventType.objects.filter(name__in=keys["type"]).values_list("name", flat=True))
    sources = dict(Source.objects.filter(slug__in=keys["source"]).values_list("slug", "name"))
    teams = dict(Team.objects.filter(slug__in=keys["team"]).values_list("slug", "name"))
    for row in rows:
        there = {"type": types, "source": sources, "team": teams}[row.kind]
        row.gone = row.key not in there
        row.name = there.get(row.key, row.key) if isinstance(there, dict) else row.key
        row.url = ""
        if row.kind == Follow.Kind.TYPE:
            row.url = (
                f"{reverse('changes')}?{urlencode({'type': row.key})}"
                if row.gone
                else reverse("event-type", args=[row.key])
            )
        elif row.kind == Follow.Kind.SOURCE and not row.gone:
            row.url = reverse("source", args=[row.key])
