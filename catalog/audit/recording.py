"""Writes audit records: the one place that does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

from catalog.audit.acting import current
from catalog.audit.kinds import WATCHED, Action
from catalog.models import AuditRecord


def write(
    action: Action,
    kind: str,
    key: str,
    name: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
    by: str | None = None,
) -> None:
    """A record of what the request under way did; nothing where nobody acts. `by`: a user name, where it is another."""
    deed = current()
    if deed is None:
        return
    AuditRecord.objects.create(
        by=(deed.by if by is None else by)[:150],
        via=deed.via,
        address=deed.address,
        action=action,
        kind=kind,
        key=key[:255],
        name=name[:255],
        before=dict(before or {}),
        after=dict(after or {}),
        note=note[:300],
    )


def note(action: Action, row: models.Model, says: str = "", **after: Any) -> None:
    """A record of something done to `row` that no change of its fields shows. `says`: what else is known, in English."""
    watch = WATCHED[type(row)]
    write(action, watch.kind, watch.key(row), watch.name(row), after=after, note=says)
