"""Who may use the API: a person with a session, or a program with a token. An operation that names no permission is shut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from catalog import token_use
from catalog.access import SIGNED_IN
from catalog.models import Bus, Team, Token
from catalog.ownership import refusal

if TYPE_CHECKING:  # DRF's views import this module, by its settings
    from rest_framework.views import APIView


class Program:
    """Who a token stands for, where Django expects a user."""

    is_authenticated = True
    is_anonymous = False
    is_active = True

    def __init__(self, token: Token) -> None:
        self.token = token

    def has_perm(self, permission: str) -> bool:
        """Whether the token may do this."""
        return self.token.reads and permission in Token.READING


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer sbx_…` (RFC 6750 §2.1)."""

    def authenticate(self, request: Request) -> tuple[Program, Token] | None:
        """The program behind the header; None without one, so that a session may serve. Raises AuthenticationFailed."""
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not text.strip():
            raise exceptions.AuthenticationFailed(_("The Authorization header must read `Bearer <token>`."))
        token = Token.of(text.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(
                _("This token is not known or was revoked. Make a new one in the console: Settings, Tokens.")
            )
        token_use.used(token.public_id)
        return Program(token), token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="signalbox"'


class Needs(BasePermission):
    """Lets through who has the permission that the view names in `needs`, for all methods or by method; else nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        needed = getattr(view, "needs", None)
        user: Any = request.user
        method = str(request.method)
        if isinstance(needed, Mapping):
            if method not in view.allowed_methods:
                return bool(user.is_authenticated)  # The view answers 405.
            needed = needed.get("GET" if method in ("HEAD", "OPTIONS") else method)
        if needed is None or not user.is_authenticated:
            return False
        if needed == SIGNED_IN or user.has_perm(needed):
            return True
        if isinstance(user, Program):
            self.message = (
                _("Programs read the catalog; a person with a session changes it.")
                if user.token.reads
                else _(
                    "This token may publish only. Make one that may read in the console: Settings, Tokens."
                )
            )
        else:
            self.message = _("Your role does not allow this: it needs %(permission)s.") % {
                "permission": needed
            }
        return False


def bus_of(request: Request) -> Bus | None:
    """The only bus about which whoever asks may know; None when it is every bus."""
    token = request.auth
    return token.bus if isinstance(token, Token) else None


def check_owner(request: Request, team: Team | None, permission: str) -> None:
    """Raises PermissionDenied, with the reason, for those who do not decide about what `team` owns."""
    if why_not := refusal(request.user, team, permission):
        raise exceptions.PermissionDenied(why_not)


def check_bus(request: Request, bus: int) -> None:
    """Raises PermissionDenied when the request's token is for another bus than that with row id `bus`."""
    token = request.auth
    if isinstance(token, Token) and token.bus_id is not None and token.bus_id != bus:
        name = Bus.objects.filter(pk=bus).values_list("name", flat=True).first() or str(bus)
        raise exceptions.PermissionDenied(_("This token is for another bus than “%(bus)s”.") % {"bus": name})
