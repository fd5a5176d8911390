"""What the audit log records of the catalog, and of people."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from catalog.audit.kinds import Action, Kind, Values, Watch, keys_in, known
from catalog.audit.watching import watch, watch_many
from catalog.models import (
    Approval,
    Bus,
    Domain,
    Draft,
    EventType,
    Follow,
    Ignored,
    Lifecycle,
    Profile,
    SchemaVersion,
    Source,
    Team,
    Token,
    Wanted,
    Wish,
    people,
)

PERSON = "person"


def _retired(before: Values, after: Values) -> Action | None:
    if "retired_at" not in after:
        return None
    return Action.RETIRED if after["retired_at"] else Action.RESTORED


def _life(before: Values, after: Values) -> Action | None:
    if after.get("lifecycle") == Lifecycle.RETIRED and before:
        return Action.RETIRED
    return Action.RESTORED if before.get("lifecycle") == Lifecycle.RETIRED else None


def _revoked(before: Values, after: Values) -> Action | None:
    return Action.REVOKED if after.get("revoked_at") else None


def _of_person(before: Values, after: Values) -> Action | None:
    if not before:
        return None
    if "is_active" in after:
        return Action.ENABLED if after["is_active"] else Action.DISABLED
    return Action.PASSWORD if "password" in after else None


def _of_profile(before: Values, after: Values) -> Action | None:
    return Action.INVITED if after.get("link_digest") else Action.CHANGED


def _there_names(keys: Any) -> set[str]:
    return set(people().filter(username__in=list(keys)).values_list("username", flat=True))


def _by_name(page: str) -> Any:
    return lambda key: reverse(page, args=[key])


def connect() -> None:
    """Called when Django starts."""
    known("event-type", Kind(_("event type"), _by_name("event-type"), keys_in(EventType, "name")))
    known("source", Kind(_("source"), _by_name("source"), keys_in(Source, "slug")))
    known("bus", Kind(_("bus"), _by_name("bus"), keys_in(Bus, "name")))
    known("team", Kind(_("team"), _by_name("team"), keys_in(Team, "slug")))
    known(
        "domain",
        Kind(_("domain"), lambda key: f"{reverse('marketplace')}?domain={key}", keys_in(Domain, "slug")),
    )
    known("token", Kind(_("token"), lambda key: f"{reverse('tokens')}?q={key}", keys_in(Token, "public_id")))
    known("draft", Kind(_("draft"), lambda key: reverse("drafts"), keys_in(Draft, "pk")))
    known("approval", Kind(_("approval"), lambda key: reverse("approvals"), keys_in(Approval, "pk")))
    known("wanted", Kind(_("wanted event"), lambda key: reverse("wanted"), keys_in(Wanted, "pk")))
    known("follow", Kind(_("follow"), lambda key: reverse("following"), keys_in(Follow, "pk")))
    known(
        "discovered",
        Kind(
            _("discovered type"),
            lambda key: f"{reverse('discovered')}?{urlencode({'name': key})}",
            keys_in(Ignored, "type_name"),
        ),
    )
    known(PERSON, Kind(_("member"), _by_name("member"), _there_names))

    watch(EventType, Watch("event-type", lambda row: row.name, act=_life))
    watch_many(EventType, "sources")
    watch(
        SchemaVersion,
        Watch(
            "event-type",
            lambda row: row.event_type.name,
            fields=("number", "notes", "origin", "override", "lifecycle", "ends_on"),
            act=_life,
            deletes=False,
        ),
    )
    watch(Source, Watch("source", lambda row: row.slug, act=_retired))
    watch(Bus, Watch("bus", lambda row: row.name, act=_retired))
    watch(Team, Watch("team", lambda row: row.slug))
    watch_many(Team, "members")
    watch(Domain, Watch("domain", lambda row: row.slug))
    watch(
        Token,
        Watch(
            "token",
            lambda row: row.public_id,
            fields=("name", "bus", "team", "reads", "revoked_at"),
            act=_revoked,
        ),
    )
    # What is typed into a draft is nobody else's business until it is registered.
    watch(Draft, Watch("draft", lambda row: str(row.pk), fields=("name", "event_type", "origin")))
    watch(Approval, Watch("approval", lambda row: str(row.pk)))
    watch(Wanted, Watch("wanted", lambda row: str(row.pk)))
    watch(
        Wish,
        Watch("wanted", lambda row: str(row.wanted_id), lambda row: row.wanted.name, fields=("user", "team")),
    )
    watch(Follow, Watch("follow", lambda row: str(row.pk), fields=("user", "team", "kind", "key", "mail")))
    watch(Ignored, Watch("discovered", lambda row: row.type_name))
    watch(
        people().model,
        Watch(
            PERSON,
            lambda row: row.get_username(),
            lambda row: row.get_username(),
            without=frozenset({"id", "date_joined", "last_login"}),
            act=_of_person,
        ),
    )
    watch(
        Profile,
        Watch(
            PERSON,
            lambda row: row.user.get_username(),
            lambda row: row.user.get_username(),
            without=frozenset({"user", "seen_at"}),
            act=_of_profile,
        ),
    )
