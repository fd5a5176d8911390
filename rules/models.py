"""Rules and their targets, with immutable revisions of both.

A change is saved through `rules.revisions`, which takes the log's lock, so that it is live for the next commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Bus, Team
from rules.retries import DAY, LONGEST_ASKED, RETRY_FIELDS, Retries

DEFAULT = Retries()


def between(least: float, most: float) -> list[MinValueValidator | MaxValueValidator]:
    """Validators of a number from `least` to `most`."""
    return [MinValueValidator(least), MaxValueValidator(most)]


class Rule(models.Model):
    """On one bus: a filter and up to N targets. Subscribing makes a rule.

    The filter's parts must all hold: `pattern` ({} takes everything), `sql` (a CloudEvents SQL 1.0 expression, "" for
    none) and `filters` (a list of CloudEvents Subscriptions API filters). `draft`: written, but never listened yet;
    a draft is never enabled.
    """

    name = models.CharField(_("name"), max_length=120)
    description = models.CharField(_("description"), max_length=255, blank=True)
    bus = models.ForeignKey(Bus, verbose_name=_("bus"), on_delete=models.PROTECT, related_name="rules")
    team = models.ForeignKey(Team, verbose_name=_("team"), on_delete=models.PROTECT, related_name="rules")
    pattern = models.JSONField(_("pattern"), default=dict, blank=True)
    sql = models.TextField(_("CloudEvents SQL"), default="", blank=True)
    filters = models.JSONField(_("filters"), default=list, blank=True)
    enabled = models.BooleanField(_("listening"), default=True)
    draft = models.BooleanField(_("draft"), default=False, editable=False)
    revision = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=("bus", "name"), name="one_rule_per_name_and_bus"),
            models.CheckConstraint(
                condition=models.Q(draft=False) | models.Q(enabled=False), name="a_draft_does_not_listen"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Target(models.Model):
    """Where a rule delivers: connector, config, transform, retry policy and order.

    `classes`: what answers mean where it differs from the rule (rules/classes.py). `granted_rate`: events a minute that
    the target granted itself, None when it said nothing. `rested`: microseconds that it did not run, in all.
    `starts`: where it is to begin once its draft listens, "beginning" or a time in UTC (ISO 8601); "" for from then on,
    and for every target that has begun.
    """

    class Order(models.TextChoices):
        KEY = "key", _("in order per subject")
        NONE = "none", _("no order")
        ALL = "all", _("one after the other")

    class AfterDeadLetter(models.TextChoices):
        BLOCK = "block", _("wait: later events of that subject wait for the dead letter")
        CONTINUE = "continue", _("go on: later events of that subject overtake it")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        STOPPED = "stopped", _("stopped")
        DISABLED = "disabled", _("disabled")

    class RetryKind(models.TextChoices):
        EXPONENTIAL = "exponential", _("growing by a factor")
        LINEAR = "linear", _("growing by seconds")
        CONSTANT = "constant", _("always the same")

    class Jitter(models.TextChoices):
        NONE = "none", _("exactly that long")
        HALF = "half", _("the upper half by chance")
        FULL = "full", _("all of it by chance")

    name = models.CharField(_("name"), max_length=120)
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="targets")
    connector = models.CharField(_("connector"), max_length=64)
    config = models.JSONField(_("config"), default=dict, blank=True)
    transform = models.JSONField(_("transform"), default=dict, blank=True)
    contract = models.JSONField(_("contract"), default=dict, blank=True)
    order = models.CharField(_("order"), max_length=4, choices=Order.choices, default=Order.KEY)
    after_dead_letter = models.CharField(
        _("after a dead letter"), max_length=8, choices=AfterDeadLetter.choices, default=AfterDeadLetter.BLOCK
    )
    retry_kind = models.CharField(
        _("waits"), max_length=12, choices=RetryKind.choices, default=RetryKind.EXPONENTIAL
    )
    max_attempts = models.PositiveIntegerField(
        _("attempts"),
        default=DEFAULT.max_attempts,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    max_age = models.FloatField(
        _("give up after (seconds)"), default=DEFAULT.max_age, validators=between(1, 30 * DAY)
    )
    first_delay = models.FloatField(
        _("first wait (seconds)"), default=DEFAULT.first_delay, validators=between(0.01, 3600)
    )
    delay_step = models.FloatField(_("step"), default=DEFAULT.delay_step, validators=between(0, 3600))
    longest_delay = models.FloatField(
        _("longest wait (seconds)"), default=DEFAULT.longest_delay, validators=between(0.01, DAY)
    )
    jitter = models.CharField(_("chance"), max_length=4, choices=Jitter.choices, default=Jitter.HALF)
    longest_asked = models.FloatField(
        _("Retry-After, at most (seconds)"),
        default=DEFAULT.longest_asked,
        validators=between(0, LONGEST_ASKED),
    )
    classes = models.JSONField(_("answers"), default=dict, blank=True)
    max_in_flight = models.PositiveIntegerField(
        _("at once"), default=64, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    rate_limit = models.FloatField(
        _("events a second, at most"), null=True, blank=True, validators=between(0.001, 100_000)
    )
    breaker = models.BooleanField(_("breaker"), default=True)
    breaker_failures = models.PositiveIntegerField(
        _("failures that open it"), default=10, validators=[MinValueValidator(2), MaxValueValidator(1000)]
    )
    breaker_probe = models.FloatField(
        _("first probe after (seconds)"), default=1.0, validators=between(0.05, 3600)
    )
    breaker_longest_probe = models.FloatField(
        _("longest time between probes (seconds)"), default=60.0, validators=between(0.05, DAY)
    )
    batch_count = models.PositiveIntegerField(
        _("events in a batch"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    batch_bytes = models.PositiveIntegerField(
        _("bytes in a batch"),
        default=262_144,
        validators=[MinValueValidator(1), MaxValueValidator(16_777_216)],
    )
    batch_wait = models.FloatField(_("a batch waits (seconds)"), default=0.0, validators=between(0, 300))
    granted_rate = models.PositiveIntegerField(null=True, editable=False)
    starts = models.CharField(max_length=40, blank=True, default="", editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.RUNNING)
    state_reason = models.CharField(max_length=500, blank=True, default="")
    state_since = models.DateTimeField(default=timezone.now, editable=False)
    rested = models.BigIntegerField(default=0, editable=False)
    revision = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=("rule", "name"), name="one_target_per_name_and_rule")]

    def __str__(self) -> str:
        return self.name


class RuleRevision(models.Model):
    """What a rule was from `rules_version` on; never changes. `pattern` is None for a rule that was deleted.

    `back_to`: the number of the revision that this one brought back, None when it is new.
    """

    rule_id = models.BigIntegerField(db_index=True)
    number = models.PositiveIntegerField()
    rules_version = models.BigIntegerField(db_index=True)
    bus_id = models.BigIntegerField()
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=255, default="")
    pattern = models.JSONField(null=True)
    sql = models.TextField(default="")
    filters = models.JSONField(default=list)
    enabled = models.BooleanField()
    draft = models.BooleanField(default=False)
    target_ids = models.JSONField(default=list)
    back_to = models.PositiveIntegerField(null=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ("rules_version",)

    def __str__(self) -> str:
        return f"{self.name} r{self.number}"


class TargetRevision(models.Model):
    """What a target was; never changes. Attempts name the revision they used. `back_to`: as in RuleRevision."""

    target_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    connector = models.CharField(max_length=64)
    config = models.JSONField(default=dict)
    transform = models.JSONField(default=dict)
    contract = models.JSONField(default=dict)
    policy = models.JSONField(default=dict)
    back_to = models.PositiveIntegerField(null=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ("target_id", "number")
        constraints = [
            models.UniqueConstraint(fields=("target_id", "number"), name="one_target_revision_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.name} r{self.number}"


class Trial(models.Model):
    """One past event that a person sent from the editor by hand, and what became of it. No delivery: it moves nothing.

    `rule_id` and `target_id` are None for what was not saved yet. `took` is in milliseconds; `outcome` one of
    delivered, retry, rejected, misconfigured, gone.
    """

    rule_id = models.BigIntegerField(null=True, db_index=True)
    target_id = models.BigIntegerField(null=True, db_index=True)
    target = models.CharField(max_length=120)
    where = models.CharField(max_length=500)
    seq = models.BigIntegerField()
    event_id = models.CharField(max_length=255)
    delivery_id = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16)
    status = models.IntegerField(null=True)
    reason = models.TextField(default="")
    response = models.TextField(default="")
    took = models.FloatField()
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.event_id} to {self.target}"


POLICY_FIELDS = (
    "order",
    "after_dead_letter",
    *RETRY_FIELDS,
    "classes",
    "max_in_flight",
    "rate_limit",
    "breaker",
    "breaker_failures",
    "breaker_probe",
    "breaker_longest_probe",
    "batch_count",
    "batch_bytes",
    "batch_wait",
)


def policy_of(target: Target) -> dict[str, Any]:
    """The target's delivery policy as plain values, for its revision."""
    return {field: getattr(target, field) for field in POLICY_FIELDS}


def whole_policy(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The policy of a revision; what was not there when it was made is what it became then, the default."""
    return {
        name: stored[name] if name in stored else Target._meta.get_field(name).get_default()  # type: ignore[union-attr]
        for name in POLICY_FIELDS
    }
