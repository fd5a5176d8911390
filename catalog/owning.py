"""What a team owns: listed before the team is deleted, and moved to another one. Rooms above register what they keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog import changes
from catalog.changes import OWN
from catalog.models import Approval, Bus, Domain, EventType, Follow, Source, Team, Token

# Of each kind a page lists so many; the rest is counted.
SHOWN = 20


class NotMovable(ValueError):
    """Something cannot go to that team; the sentence says what and why."""


class Owned(NamedTuple):
    """Something that teams own. `rows(team)` are the rows; `page(row)` is where one is looked at, "" for nowhere.

    `move(row, team, by)` gives a row to another team, and may raise NotMovable. Without, it goes with its team: `goes`
    says what that means.
    """

    label: str | Promise
    icon: str
    rows: Callable[[Team], QuerySet[Any]]
    page: Callable[[Any], str]
    move: Callable[[Any, Team, Any], None] | None = None
    goes: str | Promise = ""


class Listed(NamedTuple):
    """What a team owns of one kind: how many, and the first of them as name and page."""

    owned: Owned
    total: int
    first: list[tuple[str, str]]

    @property
    def more(self) -> int:
        """How many are not among the first."""
        return self.total - len(self.first)


_kinds: list[Owned] = []


def register(owned: Owned) -> None:
    """Adds a kind of thing that teams own."""
    _kinds.append(owned)


def of_team(team: Team) -> list[Listed]:
    """What `team` owns, kinds of which there is none left out."""
    found = []
    for owned in _kinds:
        rows = owned.rows(team)
        if total := rows.count():
            found.append(Listed(owned, total, [(str(row), owned.page(row)) for row in rows[:SHOWN]]))
    return found


def refusal(team: Team) -> str:
    """Why nobody changes or deletes `team`; "" when it may be done."""
    return _t("Signalbox keeps this team itself: nobody changes it.") if team.slug == OWN else ""


@transaction.atomic
def delete(team: Team, to: Team | None, by: Any) -> None:
    """Deletes `team`; what it owns goes to the team `to`. Raises NotMovable when something cannot, or `to` is missing."""
    for owned in _kinds:
        rows = list(owned.rows(team))
        if rows and owned.move is not None:
            if to is None:
                raise NotMovable(_t("Choose the team that takes what it owns."))
            for row in rows:
                owned.move(row, to, by)
    Follow.objects.filter(kind=Follow.Kind.TEAM, key=team.slug).delete()
    team.delete()


def _told(kind: str, argument: str) -> Callable[[Any, Team, Any], None]:
    """Moves a row, and tells of it as a change of that kind."""

    def move(row: Model, to: Team, by: Any) -> None:
        plain(row, to, by)
        what: dict[str, Any] = {argument: row}
        changes.record(kind, by=by, detail={"fields": ["team"]}, **what)

    return move


def plain(row: Model, to: Team, by: Any) -> None:
    """Moves a row of which nobody is told."""
    row.team = to  # type: ignore[attr-defined]
    row.save(update_fields=["team"])


def _to_be_lost() -> None:
    register(
        Owned(
            _("Approvals of personal data"),
            "shield-check",
            lambda team: Approval.objects.filter(team=team).select_related("event_type", "team"),
            lambda row: reverse("event-type", args=[row.event_type.name]),
            goes=_("They are for this team alone and end with it. The other team asks for its own."),
        )
    )
    register(
        Owned(
            _("Follows"),
            "bell",
            lambda team: (
                Follow.objects.filter(team=team).select_related("team")
                | Follow.objects.filter(kind=Follow.Kind.TEAM, key=team.slug).select_related("team")
            ),
            lambda row: "",
            goes=_("What the team follows, and who follows the team: nobody is told any more."),
        )
    )


def connect() -> None:
    """What the catalog keeps. Called when Django starts."""
    register(
        Owned(
            _("Event types"),
            "store",
            lambda team: EventType.objects.filter(team=team).order_by("name"),
            lambda row: reverse("event-type", args=[row.name]),
            _told("type.changed", "event_type"),
        )
    )
    register(
        Owned(
            _("Sources"),
            "radio-tower",
            lambda team: Source.objects.filter(team=team).order_by("name"),
            lambda row: reverse("source", args=[row.slug]),
            _told("source.changed", "source"),
        )
    )
    register(
        Owned(
            _("Buses"),
            "database",
            lambda team: Bus.objects.filter(team=team).order_by("name"),
            lambda row: reverse("bus", args=[row.name]),
            _told("bus.changed", "bus"),
        )
    )
    register(
        Owned(
            _("Domains"),
            "shapes",
            lambda team: Domain.objects.filter(team=team).order_by("name"),
            lambda row: f"{reverse('marketplace')}?domain={row.slug}",
            plain,
        )
    )
    register(
        Owned(
            _("Tokens"),
            "key-round",
            lambda team: Token.objects.filter(team=team).order_by("name", "pk"),
            lambda row: f"{reverse('tokens')}?q={row.public_id}",
            plain,
        )
    )
    _to_be_lost()
