"""Making members, changing what they may, switching them off. Somebody is an administrator at any time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog import roles
from catalog.changes import OWN
from catalog.members import links
from catalog.models import Profile, Team, people
from catalog.stamps import hold_log


class Refused(ValueError):
    """It may not be done; the sentence says why and what to do."""


def refusal(actor: Any, member: Any) -> str:
    """Why `actor` may not change what `member` may, in a sentence; "" when they may."""
    if not actor.has_perm("auth.change_user"):
        return _("Only administrators change members.")
    if member.is_superuser and not actor.is_superuser:
        return _("Only administrators change administrators.")
    return ""


@transaction.atomic
def invite(
    actor: Any, username: str, name: str, email: str, role: str, teams: Iterable[Team]
) -> tuple[Any, str]:
    """A new member who has no password yet, and the text of the link with which they set one. Raises Refused."""
    if role == roles.ADMINISTRATOR and not actor.is_superuser:
        raise Refused(_("Only administrators make administrators."))
    member = people().model(username=username, first_name=name, email=email)
    member.set_unusable_password()
    member.save()
    _give(member, role)
    member.teams.set(teams)
    return member, links.make(member, actor)


@transaction.atomic
def set_role(actor: Any, member: Any, role: str) -> None:
    """Gives `member` another role. Raises Refused, also when nobody would be an administrator any more."""
    if why_not := refusal(actor, member):
        raise Refused(why_not)
    if role == roles.ADMINISTRATOR and not actor.is_superuser:
        raise Refused(_("Only administrators make administrators."))
    if member.is_superuser and role != roles.ADMINISTRATOR:
        _keep_one(member)
    _give(member, role)


@transaction.atomic
def set_teams(member: Any, teams: Iterable[Team]) -> None:
    """Puts `member` into these teams and no others. Of Signalbox's own team nobody is a member."""
    member.teams.set(Team.objects.filter(pk__in=[team.pk for team in teams]).exclude(slug=OWN))


@transaction.atomic
def switch_off(actor: Any, member: Any) -> None:
    """Lets `member` sign in no more; what they made and own stays. Raises Refused, for the last administrator too."""
    if why_not := refusal(actor, member):
        raise Refused(why_not)
    if member.pk == actor.pk:
        raise Refused(_("You cannot switch yourself off. Ask another administrator."))
    if member.is_superuser:
        _keep_one(member)
    if member.is_active:
        member.is_active = False
        member.save(update_fields=["is_active"])
        links.withdraw(member)


def switch_on(actor: Any, member: Any) -> None:
    """Lets `member` sign in again, with the password they had. Raises Refused."""
    if why_not := refusal(actor, member):
        raise Refused(why_not)
    if not member.is_active:
        member.is_active = True
        member.save(update_fields=["is_active"])


def _give(member: Any, role: str) -> None:
    above = role == roles.ADMINISTRATOR
    if member.is_superuser != above or member.is_staff != above:
        member.is_superuser = member.is_staff = above
        member.save(update_fields=["is_superuser", "is_staff"])
    profile = Profile.of(member)
    kept = "" if above else role
    if profile.role != kept or profile._state.adding:
        profile.role = kept
        profile.save()
    member._role = kept


def _keep_one(member: Any) -> None:
    """Raises Refused when `member` is the last administrator. Two who leave at once wait for one another."""
    hold_log()
    others = people().filter(is_superuser=True, is_active=True).exclude(pk=member.pk)
    if not others.exists():
        raise Refused(
            _("%(name)s is the last administrator. Make somebody else one first.")
            % {"name": member.get_username()}
        )
