"""The page behind a link with which a person sets their password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from catalog.access import PUBLIC, needs
from catalog.forms.people import FirstPasswordForm
from catalog.members import links


@needs(PUBLIC)
@never_cache
@sensitive_post_parameters()
def join(request: HttpRequest, text: str) -> HttpResponse:
    """Asks for a password and signs the person in; a link that works no more says so."""
    found = links.person_of(text)
    if found is None:
        return render(request, "catalog/settings/link_dead.html", status=404)
    form = FirstPasswordForm(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = links.spend(text, form.cleaned_data["new_password1"])
        except links.Spent:
            return render(request, "catalog/settings/link_dead.html", status=404)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        messages.success(request, _("Your password is set. The link is used up."))
        return redirect("marketplace")
    return render(request, "catalog/settings/join.html", {"form": form, "person": found})
