"""What Signalbox knows of a person beyond Django's user: their role, when they were here, how they look at it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.utils.translation import gettext_lazy as _


class Profile(models.Model):
    """A person's role and choices. Administrators are Django's superusers, whatever `role` says.

    `link_digest`: of the one link that lets them set a password, "" when there is none; it works until `link_ends_at`.
    `language` and `theme`: what a browser without a choice of its own starts with, "" for what the browser says.
    """

    class Role(models.TextChoices):
        READER = "reader", _("reader")
        EDITOR = "editor", _("editor")

    class Theme(models.TextChoices):
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="profile"
    )
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, blank=True, default="")
    seen_at = models.DateTimeField(null=True, editable=False)
    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, blank=True, default="")
    link_digest = models.CharField(max_length=64, blank=True, default="", db_index=True, editable=False)
    link_ends_at = models.DateTimeField(null=True, editable=False)
    invited_by = models.CharField(max_length=150, blank=True, default="", editable=False)

    def __str__(self) -> str:
        return f"profile {self.user_id}"

    @classmethod
    def of(cls, user: Any) -> Profile:
        """The profile of `user`, not saved when there is none yet."""
        return cls.objects.filter(user=user.pk).first() or cls(user_id=user.pk)


def people() -> models.Manager[Any]:
    """All users, also those that may not sign in any more."""
    return get_user_model()._default_manager
