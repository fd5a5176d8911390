"""The pages before anybody exists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.contrib.auth.forms import BaseUserCreationForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from catalog.access import PUBLIC, needs
from catalog.forms.console import ConsoleFields
from catalog.setup import LinkUsed, is_open, make_administrator


class AdministratorForm(ConsoleFields, BaseUserCreationForm):
    """Name and password of the first administrator, and the first team."""

    team = forms.CharField(
        label=gettext_lazy("Your team"),
        max_length=80,
        help_text=gettext_lazy("Teams own event types, sources and rules. You can add others later."),
    )

    class Meta(BaseUserCreationForm.Meta):
        model = get_user_model()
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django's own hints are five lines of what one may not do.
        self.fields["username"].help_text = _("Letters, digits and @ . + - _ only.")
        self.fields["password1"].help_text = _(
            "At least 8 characters; not only digits, nothing common, nothing like your name."
        )
        self.fields["password2"].label = _("The password again")
        self.fields["password2"].help_text = ""

    def validate_password_for_user(self, user: Any, password_field_name: str = "password1") -> None:
        """What is wrong with the password stands under the password, not under its confirmation."""
        super().validate_password_for_user(user, "password1")  # type: ignore[misc]  # the stubs lack it


@needs(PUBLIC)
def waiting(request: HttpRequest) -> HttpResponse:
    """Says where the one-time link is, while there is no user."""
    if get_user_model()._default_manager.exists():
        return redirect("sign-in")
    return render(request, "catalog/setup_waiting.html")


@needs(PUBLIC)
@never_cache
@sensitive_post_parameters()
def first_administrator(request: HttpRequest, token: str) -> HttpResponse:
    """The form behind the one-time link."""
    if not is_open(token):
        return render(request, "catalog/setup_dead.html", status=404)
    form = AdministratorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user = make_administrator(token, given["username"], given["password1"], given["team"])
        except LinkUsed:
            raise Http404 from None
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        messages.success(request, _("You are the administrator now. The link is used up."))
        return redirect("marketplace")
    return render(request, "catalog/setup.html", {"form": form})
