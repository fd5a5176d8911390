"""Request bins as something that a team owns."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog import owning
from catalog.models import Team
from delivery.bins.found import ICON
from delivery.models import RequestBin


def _move(row: RequestBin, to: Team, by: Any) -> None:
    row.team = to
    row.save(update_fields=["team"])


def connect() -> None:
    """Called when Django starts."""
    owning.register(
        owning.Owned(
            _("Request bins"),
            ICON,
            lambda team: RequestBin.objects.filter(team=team).order_by("name", "pk"),
            lambda row: reverse("bin", args=[row.pk]),
            _move,
        )
    )
