"""Following: who follows what, what of the changes concerns them, and who is to be told of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Max, Q, QuerySet, Subquery

from catalog.models import Change, EventType, Follow, Reader, Source, Team

UNREAD_MOST = 1000


def follows_of(user: Any) -> QuerySet[Follow]:
    """What the person and the teams of the person follow."""
    return Follow.objects.filter(Q(user=user.pk) | Q(team__members=user.pk)).distinct()


def followed(user: Any) -> QuerySet[Change]:
    """The changes of what the person follows, newest first: of types, of sources and what they emit, of what teams own."""
    mine = Follow.objects.filter(
        Q(user=user.pk) | Q(team__in=Team.objects.filter(members=user.pk).values("pk"))
    )
    types = mine.filter(kind=Follow.Kind.TYPE).values("key")
    sources = mine.filter(kind=Follow.Kind.SOURCE).values("key")
    teams = mine.filter(kind=Follow.Kind.TEAM).values("key")
    emitted = EventType.objects.filter(sources__slug__in=sources).values("name")
    return Change.objects.filter(
        Q(type_name__in=types) | Q(type_name__in=emitted) | Q(source__in=sources) | Q(team__in=teams)
    )


def unread(user: Any) -> int | None:
    """How many of them came since the person last looked, at most UNREAD_MOST; None when there are none.

    One query, for every page asks. Who never looked, nor followed anything, has nothing to catch up with.
    """
    seen = Reader.objects.filter(user=user.pk).values("seen")[:1]
    return len(followed(user).filter(pk__gt=Subquery(seen)).values("pk")[:UNREAD_MOST]) or None


def look(user: Any) -> int:
    """Notes that the person has now seen everything; returns up to which change they had before."""
    newest = _newest()
    before = Reader.objects.filter(user=user.pk).values_list("seen", flat=True).first()
    if before is None or newest > before:
        Reader.objects.update_or_create(user_id=user.pk, defaults={"seen": newest})
    return newest if before is None else before


def _newest() -> int:
    return int(Change.objects.aggregate(newest=Max("pk"))["newest"] or 0)


def exists(kind: str, key: str) -> bool:
    """Whether there is such an event type, source or team."""
    if kind == Follow.Kind.TYPE:
        return EventType.objects.filter(name=key).exists()
    if kind == Follow.Kind.SOURCE:
        return Source.objects.filter(slug=key).exists()
    return kind == Follow.Kind.TEAM and Team.objects.filter(slug=key).exists()


def start(kind: str, key: str, *, user: Any = None, team: Team | None = None, mail: bool = True) -> Follow:
    """The follow of a person, or of a team; it is made, or its mail is switched.

    What was there before somebody began to follow at all is not news to them.
    """
    holder = {"user_id": user.pk} if team is None else {"team": team}
    found, _made = Follow.objects.update_or_create(**holder, kind=kind, key=key, defaults={"mail": mail})
    if user is not None:
        Reader.objects.get_or_create(user_id=user.pk, defaults={"seen": _newest()})
    return found


def stop(kind: str, key: str, *, user: Any = None, team: Team | None = None) -> bool:
    """Ends a follow; returns whether there was one."""
    holder = {"user_id": user.pk} if team is None else {"team": team}
    return bool(Follow.objects.filter(**holder, kind=kind, key=key).delete()[0])


def to_be_mailed(change: Change) -> Iterable[int]:
    """The ids of the people who follow what changed and want mail, but for who changed it."""
    about = Q()
    if change.type_name:
        about |= Q(kind=Follow.Kind.TYPE, key=change.type_name)
        emitters = Source.objects.filter(event_types__name=change.type_name).values("slug")
        about |= Q(kind=Follow.Kind.SOURCE, key__in=emitters)
    if change.source:
        about |= Q(kind=Follow.Kind.SOURCE, key=change.source)
    if change.team:
        about |= Q(kind=Follow.Kind.TEAM, key=change.team)
    if not about:
        return []
    wanting = Follow.objects.filter(about, mail=True)
    people = get_user_model()._default_manager.filter(
        Q(pk__in=wanting.exclude(user=None).values("user"))
        | Q(teams__in=wanting.exclude(team=None).values("team"))
    )
    found = people.filter(is_active=True).exclude(email="").exclude(username=change.by)
    return found.distinct().values_list("pk", flat=True)
