"""Members: who uses this Signalbox, with their role and teams."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import roles
from catalog.api import shapes
from catalog.api.describing import IF_NONE_MATCH, PAGED, described, place, query
from catalog.api.operation import PAGING, Operation, listed, parameters, shows
from catalog.api.owners import page
from catalog.api.problem import Invalid, Missing, Place
from catalog.api.shown import moment

SEES = "auth.view_user"
TAG = "Members and audit"
MEMBER = {
    "name": "lena",
    "full_name": "Lena Fischer",
    "email": "lena@example.com",
    "role": "editor",
    "teams": ["checkout"],
    "active": True,
    "joined_at": "2026-03-01T09:30:00.000Z",
    "seen_at": "2026-11-27T08:00:00.000Z",
}
ROLES = tuple(roles.ROLES)


def rows() -> QuerySet[Any]:
    """All members, with their roles and teams."""
    return roles.with_roles().prefetch_related("teams")


def shown(row: Any, addresses: bool) -> dict[str, Any]:
    """A member; their address is for those who manage members."""
    return {
        "name": row.get_username(),
        "full_name": row.get_full_name(),
        "email": row.email if addresses else None,
        "role": row.role or None,
        "teams": sorted(team.slug for team in row.teams.all()),
        "active": row.is_active,
        "joined_at": moment(row.date_joined),
        "seen_at": moment(row.seen_at),
    }


class Members(Operation):
    """All members."""

    needs = SEES

    @described(
        "listMembers",
        "List members",
        "People who may sign in or once could, by sign-in name. E-mail addresses are shown to those who manage members.",
        tag=TAG,
        takes=[
            query("q", "Words in their sign-in names."),
            query("team", "The slug of a team."),
            query("role", "What they may.", choices=ROLES),
            query("active", "true: who may sign in; false: who is switched off.", choices=("true", "false")),
            *PAGED,
        ],
        answers={200: (shapes.page_of("Member"), "A page of members.")},
        answer=page(MEMBER),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of members."""
        said = parameters(request, "q", "team", "role", "active", *PAGING)
        for name, choices in (("role", ROLES), ("active", ("true", "false"))):
            if name in said and said[name] not in choices:
                known = {"name": name, "choices": ", ".join(choices)}
                raise Invalid(Place(_("%(name)s is one of %(choices)s.") % known, ""))
        found = rows().filter(username__icontains=said.get("q", ""))
        if "team" in said:
            found = found.filter(teams__slug=said["team"])
        if "role" in said:
            found = found.filter(role=said["role"])
        if "active" in said:
            found = found.filter(is_active=said["active"] == "true")
        addresses = request.user.has_perm("auth.change_user")
        return listed(request, found, lambda some: [shown(one, addresses) for one in some], "username")


class OneMember(Operation):
    """One member."""

    needs = SEES

    @described(
        "getMember",
        "Show a member",
        "A member by sign-in name.",
        tag=TAG,
        takes=[place("name", "Their sign-in name."), IF_NONE_MATCH],
        answers={200: (shapes.ref("Member"), "The member.")},
        answer=MEMBER,
        refuses=[404],
    )
    def get(self, request: Request, name: str) -> Response:
        """A member."""
        found = rows().filter(username=name).first()
        if found is None:
            raise Missing(_("There is no member “%(name)s”.") % {"name": name})
        return shows(request, shown(found, request.user.has_perm("auth.change_user")))
