"""What was really seen of events: their shape, and how they broke their schemas. Written by delivery, read by pages."""

from __future__ import annotations

from django.db import models


class Observation(models.Model):
    """The shape of one day's events of a type (catalog.schemas.shape, as JSON text), registered or not.

    By name, because traffic may come before registration. `day`: UTC. `events`: how many came; `sampled`: how many of
    them went into `shape`.
    """

    type_name = models.CharField(max_length=255)
    day = models.DateField()
    source = models.CharField(max_length=255)
    bus = models.CharField(max_length=64)
    shape = models.TextField()
    events = models.BigIntegerField(default=0)
    sampled = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        ordering = ("type_name", "day")
        constraints = [
            models.UniqueConstraint(
                fields=("type_name", "day", "source", "bus"), name="one_observation_per_type_day_and_source"
            )
        ]
        # Totals of all types are read out of the index alone: the shapes beside them are a thousand times as large.
        indexes = [
            models.Index(fields=["type_name", "last_at", "first_at", "events"], name="observation_totals")
        ]

    def __str__(self) -> str:
        return f"{self.type_name} on {self.day}"


class Violation(models.Model):
    """One way in which a day's events of a type did not fit their schema, counted. Times are UTC.

    `version`: number of the schema version, 0 when the one it named is unknown. `rejected`: the publisher got 422
    and nothing was stored. `sample`: the newest such event's data, shortened, without the fields marked as personal.
    """

    type_name = models.CharField(max_length=255)
    version = models.PositiveIntegerField(default=0)
    day = models.DateField()
    source = models.CharField(max_length=255)
    pointer = models.CharField(max_length=255, blank=True, default="")
    message = models.CharField(max_length=300)
    rejected = models.BooleanField()
    count = models.BigIntegerField(default=0)
    sample = models.TextField(blank=True, default="")
    last_event = models.CharField(max_length=255, blank=True, default="")
    last_at = models.DateTimeField()

    class Meta:
        ordering = ("-day", "-count")
        constraints = [
            models.UniqueConstraint(
                fields=("type_name", "version", "day", "source", "pointer", "message", "rejected"),
                name="one_violation_per_way_and_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type_name} {self.pointer}: {self.count}"
