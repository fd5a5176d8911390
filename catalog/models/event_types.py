"""Event types, their schema versions, and drafts of both."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.names import TYPE_NAME
from catalog.models.owners import Domain, Team
from catalog.models.sources import Source


class Lifecycle(models.TextChoices):
    """From announced to gone. Events are taken in every state but the last."""

    DRAFT = "draft", _("draft")
    ACTIVE = "active", _("active")
    DEPRECATED = "deprecated", _("deprecated")
    RETIRED = "retired", _("retired")


class EventType(models.Model):
    """A kind of event (CloudEvents type), owned by a team, with schema versions and examples.

    `personal`: paths of `data` that hold personal data, such as `customer.email` or `lines[].name`.
    `compatibility` and `policy`: catalog.schemas.compatibility's Mode and Policy, by value.
    `default_version`: the version that events without a `dataschema` are checked against; None means the newest that
    is active.
    """

    class Validation(models.TextChoices):
        REJECT = "reject", _("Refuse events that do not fit the schema")
        WARN = "warn", _("Accept them and count them as violations")
        OFF = "off", _("Do not check")

    class Compatibility(models.TextChoices):
        FORWARD = "forward", _("Listeners keep working")
        BACKWARD = "backward", _("Old events stay readable")
        FULL = "full", _("Both")
        FORWARD_TRANSITIVE = "forward_transitive", _("Listeners of every earlier version keep working")
        BACKWARD_TRANSITIVE = "backward_transitive", _("Events of every earlier version stay readable")
        FULL_TRANSITIVE = "full_transitive", _("Both, for every earlier version")
        NONE = "none", _("No promise")

    class Policy(models.TextChoices):
        EVOLUTION = (
            "evolution",
            _("Publishers send only what they declare, listeners ignore what they do not know"),
        )
        STRICT = "strict", _("The schemas as they stand")

    name = models.CharField(_("name"), max_length=255, unique=True, validators=[TYPE_NAME])
    summary = models.CharField(_("in one sentence"), max_length=255)
    docs = models.TextField(_("documentation"), blank=True, help_text=_("Markdown."))
    domain = models.ForeignKey(
        Domain, verbose_name=_("domain"), on_delete=models.PROTECT, related_name="event_types"
    )
    team = models.ForeignKey(
        Team, verbose_name=_("owned by"), on_delete=models.PROTECT, related_name="event_types"
    )
    sources = models.ManyToManyField(
        Source, verbose_name=_("emitted by"), related_name="event_types", blank=True
    )
    tags = models.JSONField(_("tags"), default=list, blank=True)
    personal = models.JSONField(_("personal data"), default=list, blank=True)
    validation = models.CharField(
        _("events that do not fit"), max_length=8, choices=Validation.choices, default=Validation.REJECT
    )
    compatibility = models.CharField(
        _("new versions promise"), max_length=20, choices=Compatibility.choices, default=Compatibility.FORWARD
    )
    policy = models.CharField(_("judged by"), max_length=10, choices=Policy.choices, default=Policy.EVOLUTION)
    accept_cautions = models.BooleanField(
        _("accept cautions"),
        default=False,
        help_text=_("A looser range or a new value of an enumeration may pass, marked as a caution."),
    )
    default_version = models.ForeignKey(
        "SchemaVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lifecycle = models.CharField(
        _("lifecycle"), max_length=10, choices=Lifecycle.choices, default=Lifecycle.ACTIVE
    )
    deprecated_at = models.DateTimeField(null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    successor = models.ForeignKey(
        "self",
        verbose_name=_("successor"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="predecessors",
    )
    farewell = models.CharField(_("why, and what to do"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def latest(self) -> SchemaVersion | None:
        """The newest schema version, or None while the type has no schema."""
        return self.versions.order_by("-number").first()

    @property
    def current(self) -> SchemaVersion | None:
        """The version that events without a `dataschema` are checked against; None while there is none."""
        if self.default_version is not None and self.default_version.lifecycle != Lifecycle.RETIRED:
            return self.default_version
        gone = (Lifecycle.RETIRED, Lifecycle.DRAFT)
        return self.versions.exclude(lifecycle__in=gone).order_by("-number").first()


class SchemaVersion(models.Model):
    """An immutable JSON Schema of `data`, numbered from 1 within its event type. Only its life may change (LIFE).

    `example` is the one shown; `examples` holds further ones, `[{"name": …, "data": JSON text}]`. `verdict` is what the
    compatibility check said when it was saved (a JSON object, {} for a first version), `override` the owner's reason
    to save it all the same. `origin`: paste, openapi, asyncapi, aws, discovery …, "" when typed. `ends_on`: the last day
    that is announced of a deprecated version.
    """

    LIFE = ("lifecycle", "ends_on")

    event_type = models.ForeignKey(EventType, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    schema = models.TextField(_("JSON Schema"), help_text=_("JSON text, as registered."))
    digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    example = models.TextField(
        _("example"), blank=True, help_text=_("JSON text of `data` that fits the schema.")
    )
    examples = models.JSONField(_("further examples"), default=list, blank=True)
    notes = models.CharField(_("what changed"), max_length=255, blank=True)
    origin = models.CharField(max_length=20, blank=True, default="", editable=False)
    verdict = models.JSONField(default=dict, blank=True, editable=False)
    override = models.CharField(_("saved all the same because"), max_length=500, blank=True, default="")
    lifecycle = models.CharField(
        _("lifecycle"), max_length=10, choices=Lifecycle.choices, default=Lifecycle.ACTIVE
    )
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("event_type", "number")
        constraints = [
            models.UniqueConstraint(fields=("event_type", "number"), name="one_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.event_type.name} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves a new version, or the life alone of one that is there. Raises ValidationError otherwise."""
        if self.pk is None or not SchemaVersion.objects.filter(pk=self.pk).exists():
            self.digest = hashlib.sha256(self.schema.encode()).hexdigest()
        elif not set(kwargs.get("update_fields") or ("",)) <= set(self.LIFE):
            raise ValidationError(_("A schema version never changes. Register a new version instead."))
        super().save(*args, **kwargs)


class Draft(models.Model):
    """A registration that is not finished: of a new event type, or of the next version of `event_type`.

    `content` holds the form's fields by name, as they were typed. `origin` as in SchemaVersion.
    """

    name = models.CharField(_("name"), max_length=255, blank=True)
    event_type = models.ForeignKey(
        EventType, null=True, blank=True, on_delete=models.CASCADE, related_name="drafts"
    )
    content = models.JSONField(default=dict)
    origin = models.CharField(max_length=20, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("-changed_at", "-id")

    def __str__(self) -> str:
        return self.name or f"draft {self.pk}"


class Approval(models.Model):
    """A team's wish to receive the personal fields of an event type, and what the owner decided."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")

    event_type = models.ForeignKey(EventType, on_delete=models.CASCADE, related_name="approvals")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="approvals")
    reason = models.CharField(_("what for"), max_length=500)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    answer = models.CharField(_("answer"), max_length=500, blank=True, default="")

    class Meta:
        ordering = ("-asked_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=("event_type", "team"), name="one_approval_per_type_and_team")
        ]

    def __str__(self) -> str:
        return f"{self.team} on {self.event_type}: {self.state}"
