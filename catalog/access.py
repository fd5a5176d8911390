"""Who may see what: every view names the permission it needs, and one that names none is refused.

Also the Content-Security-Policy header: nothing inline, nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

View = TypeVar("View", bound=Callable[..., Any])

# Marks a view that anybody may open: the sign-in page, the one-time set-up link.
PUBLIC = "public"
# Marks a view that any signed-in person may open.
SIGNED_IN = "signed in"


def needs(permission: str) -> Callable[[View], View]:
    """Marks a view with the permission it needs: "app.codename" of Django's permissions, PUBLIC or SIGNED_IN."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


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
        if permission == PUBLIC:
            return None
        if permission is None:
            raise ImproperlyConfigured(
                f"{view.__module__}.{view.__name__} names no permission; mark it with @needs(…)."
            )
        user = request.user
        if not user.is_authenticated:
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
