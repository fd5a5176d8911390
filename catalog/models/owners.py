"""Teams, and the domains they keep."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.names import NAME


class Team(models.Model):
    """People who own sources, event types, rules and targets together."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(max_length=64, unique=True, validators=[NAME])
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="teams", blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A shelf of the marketplace: event types that belong together, drawn as a line with a colour and a badge."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    slug = models.SlugField(max_length=64, unique=True, validators=[NAME])
    badge = models.CharField(_("badge"), max_length=2, help_text=_("Two letters."))
    hue = models.PositiveSmallIntegerField(_("colour"), default=0)
    team = models.ForeignKey(
        Team, verbose_name=_("kept by"), null=True, blank=True, on_delete=models.SET_NULL
    )

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name
