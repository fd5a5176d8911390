"""Request bins as something that a team owns."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog import owning
from delivery.bins.found import ICON
from delivery.models import RequestBin


def connect() -> None:
    """Called when Django starts."""
    owning.register(
        owning.Owned(
            _("Request bins"),
            ICON,
            lambda team: RequestBin.objects.filter(team=team).order_by("name", "pk"),
            lambda row: reverse("bin", args=[row.pk]),
            owning.plain,
        )
    )
