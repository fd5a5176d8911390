"""Django models of delivery: the request bins. The data plane's own tables are SQL in `delivery/log/schema.py`."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Team


def new_address() -> str:
    """The unguessable part of a bin's address."""
    return secrets.token_urlsafe(12)


class RequestBin(models.Model):
    """A target of our own that accepts anything and shows what it received: the default for a first subscription."""

    name = models.CharField(_("name"), max_length=80)
    address = models.CharField(max_length=32, unique=True, default=new_address, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="bins")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name


class BinRequest(models.Model):
    """One request a bin received: headers as sent, body as text."""

    bin = models.ForeignKey(RequestBin, on_delete=models.CASCADE, related_name="requests")
    received_at = models.DateTimeField(default=timezone.now)
    method = models.CharField(max_length=10)
    headers = models.JSONField(default=list)
    body = models.TextField()
    size = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.method} {self.size} B"


class Switch(models.Model):
    """A named on/off switch kept in the database, such as the demo's generator."""

    name = models.CharField(max_length=40, primary_key=True)
    on = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.name}: {'on' if self.on else 'off'}"
