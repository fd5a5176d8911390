"""What changed in the catalog: the page, and the same as an Atom feed."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.access import PUBLIC, needs
from catalog.following import atom as feeds
from catalog.following.follows import followed, follows_of, look
from catalog.following.telling import told
from catalog.models import Change, EventType, Reader
from catalog.system import event_type_name

ON_PAGE = 50
IN_FEED = 50
# Seconds that a reader may keep the feed without asking.
FRESH = 60
SEES = "catalog.view_eventtype"


def rule_url(name: str = "") -> str:
    """The rule editor, filled in for new versions: of the event type `name`, of any when it is ""."""
    asked = {"type": event_type_name("version.registered")} | ({"subject": name} if name else {})
    return f"{reverse('subscribe')}?{urlencode(asked)}"


@needs(SEES)
@never_cache
@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """`?show=followed` or `all`, `?type=` of one event type, `?change=` one alone. Looking at it makes everything read."""
    name, one = request.GET.get("type", "")[:255], request.GET.get("change", "")
    follows = follows_of(request.user).exists()
    show = request.GET.get("show", "followed" if follows else "all")
    show = "all" if name or one or show != "followed" else "followed"
    found: QuerySet[Change] = followed(request.user) if show == "followed" else Change.objects.all()
    if name:
        found = found.filter(type_name=name)
    if one.isdecimal() and len(one) < 19:
        found = found.filter(pk=int(one))
    seen = look(request.user) if follows else None
    page = Paginator(found.order_by("-pk"), ON_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": told(page.object_list, seen),
        "show": show,
        "type": name,
        "type_exists": bool(name) and EventType.objects.filter(name=name).exists(),
        "follows": follows,
        "rule_url": rule_url(name),
    }
    return render(request, "catalog/changes/changes.html", context)


def digest_of(key: str) -> str:
    """How the key of a feed is kept: SHA-256; a random 256-bit secret needs no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


@needs(PUBLIC)
@require_safe
def atom(request: HttpRequest) -> HttpResponse:
    """All changes for whoever is signed in; `?follow=KEY` what the owner of that key follows, without signing in."""
    key = request.GET.get("follow")
    person = _of_key(key) if key else request.user if request.user.is_authenticated else None
    if person is None or not person.has_perm(SEES):
        if key or request.user.is_authenticated:
            said = _(
                "This feed does not exist, or its address was revoked. Make a new one in the console: Changes, What I follow."
            )
            return HttpResponse(said, status=404 if key else 403, content_type="text/plain; charset=utf-8")
        return redirect(f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}")
    found = followed(person) if key else Change.objects.all()
    newest = found.aggregate(pk=Max("pk"), at=Max("at"))
    whose = person.pk if key else "all"
    etag = quote_etag(f"{whose}-{newest['pk']}-{_details(found)}")
    modified = int(newest["at"].timestamp()) if newest["at"] else None
    answer = get_conditional_response(request, etag=etag, last_modified=modified)
    if answer is None:
        answer = HttpResponse(_feed(request, found, person if key else None), content_type=feeds.CONTENT_TYPE)
    answer["ETag"] = etag
    if modified is not None:
        answer["Last-Modified"] = http_date(modified)
    answer["Cache-Control"] = f"private, max-age={FRESH}"
    if not key:
        answer["Vary"] = "Cookie"
    # The key must not travel on with the links.
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _feed(request: HttpRequest, found: QuerySet[Change], person: Any) -> bytes:
    rows = list(found.order_by("-pk")[:IN_FEED])
    page = f"{reverse('changes')}?show={'followed' if person is not None else 'all'}"
    if person is not None:
        title = _("Signalbox: what %(name)s follows") % {"name": person.get_username()}
    else:
        title = _("Signalbox: changes of the catalog")
    return feeds.feed(
        told(rows),
        title=title,
        subtitle=_("New versions, what is to end, what drifts."),
        address=request.build_absolute_uri(page),
        updated=max((row.at for row in rows), default=timezone.now()),
        absolute=request.build_absolute_uri,
        self_address=None if person is not None else request.build_absolute_uri(reverse("changes-atom")),
    )


def _details(found: QuerySet[Change]) -> str:
    """Changes with what is added to news afterwards: how a version differs is found a moment later."""
    newest = found.order_by("-pk").values_list("pk", "published_at")[:IN_FEED]
    return hashlib.sha256(repr(list(newest)).encode()).hexdigest()[:16]


def _of_key(key: str) -> Any:
    reader = Reader.objects.filter(feed_digest=digest_of(key)).first()
    if reader is None:
        return None
    return get_user_model()._default_manager.filter(pk=reader.pk, is_active=True).first()
