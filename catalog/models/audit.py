"""Who changed what and when: rows that are written once."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _


class Unchangeable(Exception):
    """An audit record is written once."""

    def __init__(self) -> None:
        super().__init__(_t("An audit record never changes. What is too old is dropped by retention alone."))


class Records(models.QuerySet["AuditRecord"]):
    """Audit records: they can be read."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Raises Unchangeable."""
        raise Unchangeable

    def delete(self) -> NoReturn:
        """Raises Unchangeable."""
        raise Unchangeable

    def drop(self) -> int:
        """For retention alone: deletes these rows; returns how many."""
        return int(self._raw_delete(self.db))


class AuditRecord(models.Model):
    """One thing that somebody did, written by catalog.audit alone, in the transaction that did it.

    All is kept as text, for people and objects may go: `by`: a user name, "" for nobody who is known. `via`: console, api.
    `kind` and `key` name the object, `name` is how people call it. `before` and `after` hold the fields that changed,
    secrets as dots. `note`: what else is known, in English.
    """

    class Action(models.TextChoices):
        CREATED = "created", _("made")
        CHANGED = "changed", _("changed")
        DELETED = "deleted", _("deleted")
        ENABLED = "enabled", _("switched on")
        DISABLED = "disabled", _("switched off")
        PAUSED = "paused", _("paused")
        RESUMED = "resumed", _("resumed")
        RETIRED = "retired", _("retired")
        RESTORED = "restored", _("brought back")
        REVOKED = "revoked", _("revoked")
        REDRIVEN = "redriven", _("sent again")
        DISCARDED = "discarded", _("discarded")
        UNDONE = "undone", _("taken back")
        STOPPED = "stopped", _("stopped early")
        EMPTIED = "emptied", _("emptied")
        PROBED = "probed", _("probed")
        SENT = "sent", _("sent by hand")
        INVITED = "invited", _("given a link")
        PASSWORD = "password", _("new password")
        SIGNED_IN = "signed-in", _("signed in")
        SIGNED_OUT = "signed-out", _("signed out")
        REFUSED = "refused", _("sign-in failed")

    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150, blank=True, default="")
    via = models.CharField(max_length=8)
    address = models.CharField(max_length=45, blank=True, default="")
    action = models.CharField(max_length=12, choices=Action.choices)
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    note = models.CharField(max_length=300, blank=True, default="")

    objects = Records.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("at", "id"), name="audit_by_time"),
            models.Index(fields=("by", "id"), name="audit_by_actor"),
            models.Index(fields=("kind", "key", "id"), name="audit_by_object"),
            models.Index(fields=("kind", "id"), name="audit_by_kind"),
            models.Index(fields=("action", "id"), name="audit_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.by or 'nobody'} {self.action} {self.kind} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Writes a new record. Raises Unchangeable for one that is there."""
        if self.pk is not None:
            raise Unchangeable
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises Unchangeable."""
        raise Unchangeable
