"""What the marketplace searches, what people ask for that does not exist yet, and what discovery is not to propose."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.event_types import EventType
from catalog.models.names import TYPE_NAME
from catalog.models.owners import Team


class SearchEntry(models.Model):
    """Everything that can be found of one event type, case-folded. Written by catalog.indexing alone.

    One thing a line, a letter and a tab before it: n name, s sentence, d documentation, o owner (team, domain,
    sources), f field (path, type, meaning), v example value.
    """

    event_type = models.OneToOneField(
        EventType, primary_key=True, on_delete=models.CASCADE, related_name="search_entry"
    )
    text = models.TextField()

    def __str__(self) -> str:
        return f"search entry of {self.event_type_id}"


class FieldUse(models.Model):
    """A field of an event type's current schema: `path` such as data.lines[].sku, `name` its last part, folded."""

    event_type = models.ForeignKey(EventType, on_delete=models.CASCADE, related_name="field_uses")
    path = models.CharField(max_length=500)
    name = models.CharField(max_length=255, db_index=True)
    kind = models.CharField(max_length=60)

    class Meta:
        ordering = ("event_type", "id")
        # "order_id is a string in 214 types" is counted out of the index alone.
        indexes = [models.Index(fields=["name", "kind", "event_type"], name="field_use_kinds")]

    def __str__(self) -> str:
        return f"{self.path} of {self.event_type_id}"


class Wanted(models.Model):
    """An event people ask for. `event_type` is what answered it, None while nothing did."""

    name = models.CharField(_("name"), max_length=255, unique=True, validators=[TYPE_NAME])
    why = models.CharField(_("what for"), max_length=500)
    event_type = models.ForeignKey(
        EventType, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="wishes"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name


class Wish(models.Model):
    """A person's "me too", for their team where they have one."""

    wanted = models.ForeignKey(Wanted, on_delete=models.CASCADE, related_name="wishes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at",)
        constraints = [models.UniqueConstraint(fields=("wanted", "user"), name="one_wish_per_person")]

    def __str__(self) -> str:
        return f"{self.user} wants {self.wanted}"


class Ignored(models.Model):
    """An unregistered type that discovery proposes no longer, until somebody takes that back."""

    type_name = models.CharField(max_length=255, unique=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("type_name",)

    def __str__(self) -> str:
        return self.type_name
