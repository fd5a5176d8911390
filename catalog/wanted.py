"""What people ask for that nobody emits yet: asking, joining in, and being answered by a registration."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from catalog import changes
from catalog.forms.owners import team_of
from catalog.models import EventType, Wanted, Wish


def open_wishes(user: Any) -> QuerySet[Wanted]:
    """What is still wanted, the most wanted first, with `teams`, `people` and `mine` (whether `user` joined in)."""
    return (
        Wanted.objects.filter(event_type=None)
        .select_related("created_by")
        .annotate(
            teams=Count("wishes__team", distinct=True),
            people=Count("wishes", distinct=True),
            mine=Exists(Wish.objects.filter(wanted=OuterRef("pk"), user=user.pk)),
        )
        .order_by("-people", "-created_at", "-id")
    )


@transaction.atomic
def ask(name: str, why: str, user: Any) -> Wanted:
    """The wish for `name`, made or joined by `user`."""
    wanted, new = Wanted.objects.get_or_create(name=name, defaults={"why": why, "created_by": user})
    if new:
        changes.record("wanted.asked", event_type=name, team=team_of(user), by=user, detail={"why": why})
    join(wanted, user)
    return wanted


def join(wanted: Wanted, user: Any) -> None:
    """Adds the voice of `user`, once."""
    Wish.objects.get_or_create(wanted=wanted, user=user, defaults={"team": team_of(user)})


@transaction.atomic
def leave(wanted: Wanted, user: Any) -> None:
    """Takes the voice of `user` back; what nobody wants any more is gone."""
    Wish.objects.filter(wanted=wanted, user=user).delete()
    if not Wish.objects.filter(wanted=wanted).exists():
        wanted.delete()


def _registered(sender: Any, instance: EventType, created: bool, **kwargs: Any) -> None:
    if created and not kwargs.get("raw"):
        answered = Wanted.objects.filter(name__iexact=instance.name, event_type=None)
        if answered.update(event_type=instance):
            changes.record("wanted.answered", event_type=instance, by=instance.created_by)


def connect() -> None:
    """Answers a wish when an event type of its name is registered."""
    models.signals.post_save.connect(_registered, sender=EventType, dispatch_uid="wanted-answered")
