"""Drafts of registrations: whose they are, and how a form's fields get into one and out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone

from catalog.models import Draft, EventType

LISTS = ("sources", "personal")


def drafts_of(user: Any) -> QuerySet[Draft]:
    """The drafts that `user` may open: their own, and those that discovery made and nobody has taken."""
    return Draft.objects.filter(Q(created_by=user) | Q(created_by=None)).select_related("event_type")


def opened(user: Any, pk: str, event_type: EventType | None) -> Draft | None:
    """The draft `pk` of `user` for that type (None: for a new one); None without `pk`. Raises Http404."""
    if not pk:
        return None
    number = int(pk) if pk.isdigit() and len(pk) < 19 else -1
    return get_object_or_404(drafts_of(user), pk=number, event_type=event_type)


def content_of(post: QueryDict, names: Sequence[str]) -> dict[str, Any]:
    """The posted fields `names` as Draft.content holds them."""
    content: dict[str, Any] = {}
    for name in names:
        if name in LISTS:
            content[name] = post.getlist(name)
        elif name == "examples":
            texts, called = post.getlist("examples"), post.getlist("examples_name")
            called += [""] * (len(texts) - len(called))
            rows = [{"name": one, "data": text} for one, text in zip(called, texts, strict=False)]
            content[name] = [row for row in rows if row["data"].strip()]
        elif name == "accept_cautions":
            content[name] = name in post
        else:
            content[name] = post.get(name, "")
    return content


def keep(
    user: Any, content: dict[str, Any], draft: Draft | None, *, event_type: EventType | None, origin: str
) -> Draft:
    """Saves `content` in `draft`, which becomes the user's, or in a new one."""
    if draft is None:
        draft = Draft(event_type=event_type, origin=origin)
    draft.created_by = draft.created_by or user
    draft.name = (event_type.name if event_type else str(content.get("name", "")))[:255]
    draft.content, draft.changed_at = content, timezone.now()
    draft.save()
    return draft
