"""What changed in the catalog, who follows what, and what they have read."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.owners import Team


class Change(models.Model):
    """One thing that changed, written by catalog.changes.record alone. Subjects are kept as text: they may be deleted.

    `type_name`: name of an event type; `source` and `team`: slugs; `bus`: a name; `by`: a user name. Each is "" when
    there is none. `key` names the change outside: as id of its event on the bus "system" and in feeds. `once` keeps a
    finding from being told twice. `published_at`: on the bus; `told_at`: noted for its followers; None: not yet.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=40)
    at = models.DateTimeField(default=timezone.now)
    type_name = models.CharField(max_length=255, blank=True, default="")
    source = models.CharField(max_length=64, blank=True, default="")
    bus = models.CharField(max_length=64, blank=True, default="")
    team = models.CharField(max_length=64, blank=True, default="")
    by = models.CharField(max_length=150, blank=True, default="")
    detail = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    once = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 – most have none, and "" is one
    published_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("type_name", "-id"), name="change_of_type"),
            models.Index(fields=("source", "-id"), name="change_of_source"),
            models.Index(fields=("team", "-id"), name="change_of_team"),
            models.Index(fields=("id",), name="change_unpublished", condition=models.Q(published_at=None)),
            models.Index(fields=("id",), name="change_untold", condition=models.Q(told_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.type_name or self.source or self.bus}".strip()


class Follow(models.Model):
    """A person, or a team for all its members, follows an event type (`key`: its name), a source or a team (its slug)."""

    class Kind(models.TextChoices):
        TYPE = "type", _("event type")
        SOURCE = "source", _("source")
        TEAM = "team", _("team")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="follows"
    )
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="follows")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    key = models.CharField(max_length=255)
    mail = models.BooleanField(_("by e-mail"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("kind", "key", "id")
        indexes = [models.Index(fields=("kind", "key"), name="follow_of")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None) ^ models.Q(team=None), name="a_person_or_a_team_follows"
            ),
            models.UniqueConstraint(fields=("user", "kind", "key"), name="one_follow_per_person"),
            models.UniqueConstraint(fields=("team", "kind", "key"), name="one_follow_per_team"),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.team} follows {self.kind} {self.key}"


class Reader(models.Model):
    """How far a person has read the changes, the key of their feed (a digest), and how their mail goes.

    `seen`: id of the newest change when they last looked. No mail before `mail_after`; `mail_tries` failed since the
    last that went, `mail_trouble` says how.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="reader"
    )
    seen = models.BigIntegerField(default=0)
    feed_digest = models.CharField(max_length=64, blank=True, default="", db_index=True)
    feed_made_at = models.DateTimeField(null=True)
    mail_after = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveIntegerField(default=0)
    mail_trouble = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return f"reader {self.user_id}"


class Notice(models.Model):
    """A change that is to be mailed to a person; deleted once it is."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="notices")
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=("user", "change"), name="one_notice_per_change")]

    def __str__(self) -> str:
        return f"{self.change_id} for {self.user_id}"
