"""Signing in and out. While nobody exists yet, signing in leads to the set-up page."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from catalog.access import PUBLIC, needs
from catalog.forms.console import ConsoleFields
from catalog.members.looks import start_with


class SignInForm(ConsoleFields, AuthenticationForm):
    """User name and password."""

    error_messages = {
        "invalid_login": _("User name and password do not belong together. Both are case-sensitive."),
        "inactive": _("This account is switched off. Ask an administrator."),
    }


_sign_in = LoginView.as_view(
    template_name="catalog/sign_in.html", authentication_form=SignInForm, redirect_authenticated_user=True
)


@needs(PUBLIC)
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """The sign-in form; `?next=` is where it leads."""
    if not request.user.is_authenticated and not get_user_model()._default_manager.exists():
        return redirect("setup")
    answer = _sign_in(request)
    if request.method == "POST" and request.user.is_authenticated:
        start_with(request, answer, request.user)
    return answer


@needs(PUBLIC)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """Ends the session."""
    return LogoutView.as_view()(request)
