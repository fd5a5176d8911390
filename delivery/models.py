"""Django models of delivery: request bins, permissions and tokens of targets, backfills. The data plane's own tables are SQL in `delivery/log/schema.py`."""

from __future__ import annotations

import secrets

from django.conf import settings
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


class TargetPermission(models.Model):
    """What a target said when it was asked whether it wants events: the CloudEvents webhook handshake.

    `url`, without secrets, and `origin`: what it was asked about. `rate`: events a minute, None for no limit. `key`: the
    unguessable part of the address by which it may agree later.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("asked, not answered yet")
        GRANTED = "granted", _("granted")
        DENIED = "denied", _("denied")

    target = models.BigIntegerField(unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    url = models.CharField(max_length=2048)
    origin = models.CharField(max_length=253)
    rate = models.PositiveIntegerField(null=True)
    status = models.IntegerField(null=True)
    detail = models.CharField(max_length=1000, blank=True, default="")
    at = models.DateTimeField()
    key = models.CharField(max_length=48, unique=True)

    def __str__(self) -> str:
        return f"target {self.target}: {self.state}"


class AccessToken(models.Model):
    """An OAuth 2.0 access token that all processes use until it ends. Times are Unix seconds.

    `name` is a hash of whose it is; `claimed_until`: somebody fetches a new one until then. Shown nowhere.
    """

    name = models.CharField(max_length=64, primary_key=True)
    token = models.TextField(blank=True, default="")
    ends = models.FloatField(default=0)
    claimed_until = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"access token {self.name[:8]}"


class Backfill(models.Model):
    """A target that started in the past: its events up to `until` are routed by a control job, oldest first.

    The row is the job: whoever claims it goes on at `routed`. No foreign keys, because a rule or target may be deleted
    while somebody works on it. Times are microseconds since 1970, as in the data plane's tables.
    """

    class Ended(models.TextChoices):
        DONE = "done", _("caught up")
        CANCELLED = "cancelled", _("stopped early")

    target = models.BigIntegerField(db_index=True)
    rule = models.BigIntegerField()
    revision = models.PositiveIntegerField()
    bus = models.BigIntegerField()
    after = models.BigIntegerField()
    until = models.BigIntegerField()
    routed = models.BigIntegerField()
    taken = models.BigIntegerField(default=0)
    worked = models.BigIntegerField(default=0)
    started_at = models.BigIntegerField()
    held_until = models.BigIntegerField(default=0)
    ended_at = models.BigIntegerField(null=True, db_index=True)
    ended = models.CharField(max_length=10, choices=Ended.choices, blank=True, default="")

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("target",), condition=models.Q(ended_at=None), name="one_running_backfill_per_target"
            )
        ]

    def __str__(self) -> str:
        return f"target {self.target} from {self.after} to {self.until}"


class Reconciliation(models.Model):
    """What one look at the invariants found (delivery/reconcile). Times are microseconds.

    `found`: a list of {"name", "count", "mended", "sample", "targets"}, empty when all was well.
    """

    at = models.BigIntegerField(db_index=True)
    took = models.BigIntegerField()
    found = models.JSONField(default=list)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{len(self.found)} findings"


class LetterJob(models.Model):
    """What somebody asked for dead letters: to send them again, or to drop them.

    A job while `ended_at` is None: whoever claims it goes on after (at_seq, at_target). `chosen`: the filter
    (delivery.deadletters.chosen); `total`: how many it chose when it was asked, at least that many unless `exact`;
    `acted`: [target, seq] of each of a request that was carried out at once. Times are microseconds since 1970.
    """

    class Kind(models.TextChoices):
        REDRIVE = "redrive", _("redrive")
        DISCARD = "discard", _("discard")

    class Ended(models.TextChoices):
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    chosen = models.JSONField(default=dict)
    reason = models.CharField(max_length=200, blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=150, blank=True, default="")
    asked_at = models.BigIntegerField()
    starts_at = models.BigIntegerField()
    total = models.PositiveIntegerField(default=0)
    exact = models.BooleanField(default=True)
    done = models.PositiveIntegerField(default=0)
    acted = models.JSONField(default=list)
    at_seq = models.BigIntegerField(default=0)
    at_target = models.BigIntegerField(default=0)
    held_until = models.BigIntegerField(default=0)
    ended_at = models.BigIntegerField(null=True, db_index=True)
    ended = models.CharField(max_length=10, choices=Ended.choices, blank=True, default="")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.done} of {self.total}"
