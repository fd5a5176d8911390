"""Teams, buses, tokens, sources, event types and schema versions."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

NAME = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$",
    _("Use lower-case letters, digits and hyphens, 1 to 64 characters, a letter or digit at both ends."),
)
# CloudEvents 1.0 §3.1.1 asks for a non-empty string; we want names that read well in a URL.
TYPE_NAME = RegexValidator(
    r"^[A-Za-z0-9](?:[A-Za-z0-9._:/-]{0,253}[A-Za-z0-9])?$",
    _("Use letters, digits and . _ - : / only, at most 255 characters, for example shop.order.placed."),
)
# The twelve line colours of the console; a domain takes the next free one.
HUES = 12


class Stamp(models.Model):
    """A counter that grows with every change of what the data plane keeps in memory ("catalog", "rules")."""

    name = models.CharField(max_length=32, primary_key=True)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


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


class Bus(models.Model):
    """A named, ordered, durable log of events."""

    name = models.CharField(_("name"), max_length=64, unique=True, validators=[NAME])
    description = models.CharField(_("description"), max_length=255, blank=True)
    retention_days = models.PositiveIntegerField(
        _("kept for (days)"), default=30, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    open_publishing = models.BooleanField(
        _("publish without a token"),
        default=False,
        help_text=_("Anybody who reaches this address may publish. For demos on 127.0.0.1 only."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        verbose_name_plural = _("buses")

    def __str__(self) -> str:
        return self.name


class Source(models.Model):
    """A system that emits events; `uri` is the CloudEvents source attribute it sends (CloudEvents 1.0 §3.1.1)."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(max_length=64, unique=True, validators=[NAME])
    uri = models.CharField(
        _("source"),
        max_length=255,
        unique=True,
        help_text=_("The CloudEvents source it sends, such as /shop/checkout."),
    )
    description = models.TextField(_("description"), blank=True)
    bus = models.ForeignKey(Bus, verbose_name=_("bus"), on_delete=models.PROTECT, related_name="sources")
    team = models.ForeignKey(Team, verbose_name=_("team"), on_delete=models.PROTECT, related_name="sources")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class EventType(models.Model):
    """A kind of event (CloudEvents type), owned by a team, with schema versions and an example."""

    class Checking(models.TextChoices):
        REFUSE = "refuse", _("Refuse events that do not fit the schema")
        RECORD = "record", _("Accept them and count them as violations")

    name = models.CharField(_("name"), max_length=255, unique=True, validators=[TYPE_NAME])
    summary = models.CharField(_("in one sentence"), max_length=255)
    docs = models.TextField(_("documentation"), blank=True)
    domain = models.ForeignKey(
        Domain, verbose_name=_("domain"), on_delete=models.PROTECT, related_name="event_types"
    )
    team = models.ForeignKey(
        Team, verbose_name=_("owned by"), on_delete=models.PROTECT, related_name="event_types"
    )
    sources = models.ManyToManyField(
        Source, verbose_name=_("emitted by"), related_name="event_types", blank=True
    )
    checking = models.CharField(
        _("checking"), max_length=8, choices=Checking.choices, default=Checking.REFUSE
    )
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


class SchemaVersion(models.Model):
    """An immutable JSON Schema of `data`, numbered from 1 within its event type."""

    event_type = models.ForeignKey(EventType, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    schema = models.TextField(_("JSON Schema"), help_text=_("JSON text, as registered."))
    example = models.TextField(
        _("example"), blank=True, help_text=_("JSON text of `data` that fits the schema.")
    )
    notes = models.CharField(_("what changed"), max_length=255, blank=True)
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
        if self.pk is not None and SchemaVersion.objects.filter(pk=self.pk).exists():
            raise ValidationError(_("A schema version never changes. Register a new version instead."))
        super().save(*args, **kwargs)


class Token(models.Model):
    """What a program shows to publish on one bus, or on every bus when `bus` is empty. Stored as a digest only.

    Publishing reads nothing. What `reads` allows beyond it is in READING, for the same bus or buses.
    """

    PREFIX = "sbx"
    # Permissions of the API that a token with `reads` has.
    READING = frozenset({"rules.view_rule"})

    name = models.CharField(_("name"), max_length=80)
    public_id = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    bus = models.ForeignKey(
        Bus, verbose_name=_("bus"), null=True, blank=True, on_delete=models.CASCADE, related_name="tokens"
    )
    team = models.ForeignKey(Team, verbose_name=_("team"), on_delete=models.CASCADE, related_name="tokens")
    reads = models.BooleanField(
        _("may try rules"),
        default=False,
        help_text=_(
            "Besides publishing, it reads rules and stored events through the API. For build servers."
        ),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, **fields: Any) -> tuple[Token, str]:
        """A saved token and its text `sbx_<id>_<secret>`, which nothing can show again."""
        public_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        text = f"{cls.PREFIX}_{public_id}_{secret}"
        return cls.objects.create(public_id=public_id, digest=cls.digest_of(text), **fields), text

    @classmethod
    def of(cls, text: str) -> Token | None:
        """The token with this text, None when there is none or it was revoked."""
        parts = text.split("_", 2)
        if len(parts) < 3 or parts[0] != cls.PREFIX:
            return None
        found = cls.objects.filter(public_id=parts[1], revoked_at=None).first()
        return found if found is not None and found.fits(text) else None

    @staticmethod
    def digest_of(text: str) -> bytes:
        """SHA-256 of the whole text; a random 256-bit secret needs no slow hash."""
        return hashlib.sha256(text.encode()).digest()

    def fits(self, text: str) -> bool:
        """Whether `text` is this token, compared in constant time."""
        return hmac.compare_digest(bytes(self.digest), self.digest_of(text))
