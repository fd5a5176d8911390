"""Buses and the sources that publish on them."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.names import NAME, TYPE_PREFIX
from catalog.models.owners import Team


class Kept(models.QuerySet):
    """Rows that can be retired: they are kept for what they were and no longer offered."""

    def offered(self) -> Kept:
        """Those that are not retired."""
        return self.filter(retired_at=None)


class KeptSources(Kept):
    """Sources: what publishes on a retired bus is offered no more either."""

    def offered(self) -> KeptSources:
        """Those that are not retired, nor their bus."""
        return self.filter(retired_at=None, bus__retired_at=None)


class Bus(models.Model):
    """A named, ordered, durable log of events. A retired bus takes no more events; what it holds can be read."""

    class Unregistered(models.TextChoices):
        ACCEPT = "accept", _("Accept them and propose what they look like")
        REJECT = "reject", _("Refuse them")

    name = models.CharField(_("name"), max_length=64, unique=True, validators=[NAME])
    description = models.CharField(_("description"), max_length=255, blank=True)
    retention_days = models.PositiveIntegerField(
        _("kept for (days)"), default=30, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    limit_days = models.PositiveIntegerField(
        _("what waits is kept at most (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(7300)],
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="buses",
    )
    unregistered = models.CharField(
        _("events of unregistered types"),
        max_length=6,
        choices=Unregistered.choices,
        default=Unregistered.ACCEPT,
    )
    open_publishing = models.BooleanField(
        _("publish without a token"),
        default=False,
        help_text=_("Anybody who reaches this address may publish. For demos on 127.0.0.1 only."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    objects = Kept.as_manager()

    class Meta:
        ordering = ("id",)
        verbose_name_plural = _("buses")

    def __str__(self) -> str:
        return self.name

    @property
    def hard_limit_days(self) -> int:
        """How long an event is kept at most for a target that did not take it: what it says, else twice its retention."""
        return max(self.retention_days, self.limit_days or 2 * self.retention_days)


class Source(models.Model):
    """A system that emits events; `uri` is the CloudEvents source attribute it sends (CloudEvents 1.0 §3.1.1).

    `prefix`: how the names of its event types begin, "" when they share none. A retired source is kept for its
    history and offered nowhere.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(max_length=64, unique=True, validators=[NAME])
    uri = models.CharField(
        _("source"),
        max_length=255,
        unique=True,
        help_text=_("The CloudEvents source it sends, such as /shop/checkout."),
    )
    prefix = models.CharField(
        _("its types begin with"), max_length=200, blank=True, default="", validators=[TYPE_PREFIX]
    )
    description = models.TextField(_("description"), blank=True)
    bus = models.ForeignKey(Bus, verbose_name=_("bus"), on_delete=models.PROTECT, related_name="sources")
    team = models.ForeignKey(Team, verbose_name=_("team"), on_delete=models.PROTECT, related_name="sources")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    objects = KeptSources.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
