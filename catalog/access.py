"""Who may see what: every view names the permission it needs, and one that names none is refused.

Views that programs read take a token, too, and refuse with problem documents (RFC 9457).

Also the Content-Security-Policy header: nothing inline, nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import resolve, reverse
from django.utils.translation import gettext as _

from catalog import problems, token_use
from catalog.models import Token

View = TypeVar("View", bound=Callable[..., Any])

# Marks a view that anybody may open: the sign-in page, the one-time set-up link.
PUBLIC = "public"
# Marks a view that any signed-in person may open.
SIGNED_IN = "signed in"


def needs(permission: str, *, tokens: bool = False, opened_by: str = "") -> Callable[[View], View]:
    """Marks a view with the permission it needs: "app.codename" of Django's permissions, PUBLIC or SIGNED_IN.

    `tokens`: programs may open it, too, with a token that has the permission. `opened_by`: the name of a setting with
    which it is open to everybody.
    """

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        view.tokens = tokens  # type: ignore[attr-defined]
        view.opened_by = opened_by  # type: ignore[attr-defined]
        return view

    return mark


def token_of(request: HttpRequest) -> Token | None:
    """The token with which a program opened a view that takes tokens; None for a person, and where all may look."""
    return getattr(request, "token", None)


def is_open(view: Any) -> bool:
    """Whether a setting has opened `view` to everybody."""
    setting = getattr(view, "opened_by", "")
    return bool(setting and getattr(settings, setting))


def permission_of(view: Any) -> str | None:
    """The permission `view` names, None when it names none (then nobody may open it)."""
    for candidate in (view, getattr(view, "view_class", None), getattr(view, "cls", None)):
        if permission := getattr(candidate, "permission", None):
            return str(permission)
    if (
        getattr(view, "cls", None) is not None
    ):  # DRF views carry their own permission classes, denying by default.
        return SIGNED_IN
    return None


def may_open(user: Any, page: str, *args: Any) -> bool:
    """Whether `user` may open the page with that URL name; `args` where its URL has some."""
    needed = _needed(page, args)
    return needed in (PUBLIC, SIGNED_IN) or (needed is not None and bool(user.has_perm(needed)))


@lru_cache(maxsize=256)
def _needed(page: str, args: tuple[Any, ...]) -> str | None:
    return permission_of(resolve(reverse(page, args=args)).func)


class DenyByDefault:
    """Middleware: lets a request reach its view only when the view's permission allows it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        permission = permission_of(view)
        if permission == PUBLIC or is_open(view):
            return None
        if permission is None:
            raise ImproperlyConfigured(
                f"{view.__module__}.{view.__name__} names no permission; mark it with @needs(…)."
            )
        if getattr(view, "tokens", False) and "Authorization" in request.headers:
            return self._program(request, permission)
        user = request.user
        if not user.is_authenticated:
            if getattr(view, "tokens", False) and not wants_page(request):
                return _refused(
                    401,
                    _("Send `Authorization: Bearer <token>` with a token that may read, or sign in."),
                )
            if getattr(request, "htmx", False) or request.headers.get("HX-Request"):
                response = HttpResponse(status=401)
                response["HX-Refresh"] = "true"
                return response
            if getattr(view, "cls", None) is not None:
                return None  # DRF answers 401/403 itself, as a problem document.
            return redirect_to_login(request.get_full_path())
        if permission == SIGNED_IN or user.has_perm(permission):
            return None
        return render(
            request,
            "components/refused.html",
            {"message": _("Your role does not allow this."), "permission": permission},
            status=403,
        )

    @staticmethod
    def _program(request: HttpRequest, permission: str) -> HttpResponse | None:
        """Lets a program through that sent a token with this permission, and remembers the token."""
        scheme, _space, text = request.headers["Authorization"].partition(" ")
        token = Token.of(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            return _refused(
                401,
                _("This token is not known or was revoked. Make a new one in the console: Settings, Tokens."),
            )
        if not (token.reads and permission in Token.READING):
            return _refused(
                403,
                _("This token may publish only. Make one that may read in the console: Settings, Tokens."),
            )
        token_use.used(token.public_id)
        request.token = token  # type: ignore[attr-defined]
        return None


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser asks, which is shown pages; a program is told in JSON."""
    return "text/html" in request.headers.get("Accept", "")


def _refused(status: int, detail: str) -> HttpResponse:
    kind, title = {
        401: ("unauthenticated", _("No valid token or session")),
        403: ("forbidden", _("Not allowed")),
    }[status]
    document = problems.document(status, kind, title, detail)
    response = JsonResponse(document, status=status, content_type=problems.CONTENT_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="signalbox"'
    return response


class ContentSecurityPolicy:
    """Middleware: scripts, styles, fonts and connections from this origin alone."""

    POLICY = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.POLICY)
        return response
