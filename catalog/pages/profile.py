"""A person's own page: how they are called, their password, their language and theme."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from catalog import roles
from catalog.access import SIGNED_IN, needs
from catalog.forms.people import OwnPasswordForm, ProfileForm
from catalog.members.looks import remember
from catalog.models import Profile, people


@needs(SIGNED_IN)
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    """Shows and saves what a person says about themselves."""
    found = people().get(pk=request.user.pk)
    kept = Profile.of(found)
    initial = {
        "name": found.get_full_name(),
        "email": found.email,
        "language": request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or kept.language,
        "theme": request.COOKIES.get("theme") or kept.theme,
    }
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if given["name"] != found.get_full_name():
            found.first_name, found.last_name = given["name"], ""
        found.email = given["email"]
        found.save(update_fields=["first_name", "last_name", "email"])
        if (kept.language, kept.theme) != (given["language"], given["theme"]):
            kept.language, kept.theme = given["language"], given["theme"]
            kept.save()
        messages.success(request, _("Your profile is saved."))
        return remember(redirect("profile"), given["language"], given["theme"])
    return _page(request, found, form, OwnPasswordForm(found))


@needs(SIGNED_IN)
@require_POST
@never_cache
@sensitive_post_parameters()
def own_password(request: HttpRequest) -> HttpResponse:
    """Sets a new password; other browsers of the person are signed out."""
    found = people().get(pk=request.user.pk)
    form = OwnPasswordForm(found, request.POST)
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, found)
        messages.success(request, _("Your password is changed. Other browsers are signed out."))
        return redirect("profile")
    initial = {"name": found.get_full_name(), "email": found.email}
    return _page(request, found, ProfileForm(initial=initial), form, 422)


def _page(
    request: HttpRequest, found: Any, form: ProfileForm, password: OwnPasswordForm, status: int = 200
) -> HttpResponse:
    role = roles.role_of(found)
    context = {
        "form": form,
        "password": password,
        "person": found,
        "role": roles.label(role),
        "role_says": roles.ROLES[role][1] if role in roles.ROLES else "",
        "teams": found.teams.all(),
    }
    return render(request, "catalog/settings/profile.html", context, status=status)
