"""How long audit records are kept (SIGNALBOX_AUDIT_DAYS)."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from catalog.models import AuditRecord

# Rows of one statement: far less than 100 ms with the database's lock held.
PART = 1_000
PARTS = 50


def drop_old() -> int:
    """Drops what is older than it is kept, at most 50,000 rows; returns how many."""
    limit = timezone.now() - timedelta(days=settings.AUDIT_DAYS)
    dropped = 0
    for _part in range(PARTS):
        old = (
            AuditRecord.objects.filter(at__lt=limit).order_by("at", "id").values_list("pk", flat=True)[:PART]
        )
        ids = list(old)
        if ids:
            dropped += AuditRecord.objects.filter(pk__in=ids).drop()
        if len(ids) < PART:
            break
    return dropped
