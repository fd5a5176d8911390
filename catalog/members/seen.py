"""When a person was last here: written once in five minutes for each person and process."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from catalog.models import Profile
from catalog.seldom import Seldom

_visits = Seldom(300.0)


class Seen:
    """Middleware: notes who asked, where a view or another middleware looked who it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # Not `request.user`: that would look up the session of every request for a file or a schema.
        user = request.__dict__.get("_cached_user")
        if user is not None and user.is_authenticated and _visits.due(user.pk):
            see(user.pk)
        return response


def see(user: int) -> None:
    """Writes that the person with this id is here. A database that is away loses five minutes of it and nothing else."""
    now = timezone.now()
    try:
        if not Profile.objects.filter(user=user).update(seen_at=now):
            Profile.objects.get_or_create(user_id=user, defaults={"seen_at": now})
    except DatabaseError:
        _visits.forget(user)
