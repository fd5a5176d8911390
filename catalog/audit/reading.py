"""Asking the audit log: the filter that the page, its export and the API share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from catalog.audit.kinds import KINDS
from catalog.models import AuditRecord
from catalog.models.audit import Records

# The ranges of the page, in hours.
RANGES = {"24h": 24, "7d": 7 * 24, "30d": 30 * 24}
NAMES = ("by", "kind", "key", "action", "range", "from", "to")


@dataclass(frozen=True)
class Wanted:
    """A filter. `problems`: what of it was not understood, a sentence each; then it chooses nothing."""

    by: str = ""
    kind: str = ""
    key: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None
    problems: dict[str, str] = field(default_factory=dict)

    def rows(self) -> Records:
        """The records that fit, the newest first."""
        if self.problems:
            return AuditRecord.objects.none()
        found = AuditRecord.objects.all()
        for name in ("by", "kind", "key", "action"):
            if value := getattr(self, name):
                found = found.filter(**{name: value})
        if self.since is not None:
            found = found.filter(at__gte=self.since)
        if self.until is not None:
            found = found.filter(at__lt=self.until)
        return found


def wanted(said: Mapping[str, str]) -> Wanted:
    """The filter of a query string: by, kind, key, action, range, from, to. A day in `to` is meant to its end."""
    problems: dict[str, str] = {}
    values = {name: said.get(name, "").strip()[:255].replace("\0", "") for name in NAMES}
    if values["kind"] and values["kind"] not in KINDS:
        problems["kind"] = _("There is no such kind of object. There are: %(known)s.") % {
            "known": ", ".join(KINDS)
        }
    if values["action"] and values["action"] not in AuditRecord.Action.values:
        known = ", ".join(AuditRecord.Action.values)
        problems["action"] = _("Nothing is called so. There are: %(known)s.") % {"known": known}
    since = until = None
    if values["range"]:
        if values["range"] in RANGES:
            since = timezone.now() - timedelta(hours=RANGES[values["range"]])
        else:
            problems["range"] = _("A range is one of %(known)s.") % {"known": ", ".join(RANGES)}
    for name in ("from", "to"):
        if values[name]:
            at = moment(values[name], end=name == "to")
            if at is None:
                problems[name] = _("Write a time such as 2026-11-01T09:30 (UTC) or a day such as 2026-11-01.")
            elif name == "from":
                since = at
            else:
                until = at
    if since is not None and until is not None and since >= until:
        problems["to"] = _("The end is not after the beginning.")
    return Wanted(values["by"], values["kind"], values["key"], values["action"], since, until, problems)


def moment(text: str, end: bool = False) -> datetime | None:
    """The time that `text` says, UTC unless it has an offset; of a day its beginning, or its `end`. None: it says none."""
    try:
        found = parse_datetime(text)
        day = parse_date(text) if found is None or len(text) == 10 else None
    except ValueError:
        return None
    if day is not None:
        found = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1 if end else 0)
    if found is None:
        return None
    return found if timezone.is_aware(found) else found.replace(tzinfo=UTC)


def pages_of(records: Iterable[AuditRecord]) -> dict[tuple[str, str], str]:
    """The paths of the pages of the objects that still exist, by kind and key: one query per kind."""
    keys: dict[str, set[str]] = {}
    for one in records:
        if one.key:
            keys.setdefault(one.kind, set()).add(one.key)
    found = {}
    for kind, some in keys.items():
        if kind in KINDS:
            for key in KINDS[kind].there(some):
                try:
                    found[kind, key] = KINDS[kind].page(key)
                except NoReverseMatch:
                    continue
    return found


def label(kind: str) -> str:
    """What people call a kind of object."""
    return str(KINDS[kind].label) if kind in KINDS else kind


def exported(record: AuditRecord) -> dict[str, Any]:
    """A record as the API and the export show it."""
    return {
        "id": record.pk,
        "at": record.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "by": record.by or None,
        "via": record.via,
        "address": record.address or None,
        "action": record.action,
        "kind": record.kind,
        "key": record.key,
        "name": record.name,
        "before": record.before,
        "after": record.after,
        "note": record.note,
    }


COLUMNS: Sequence[str] = (
    "id",
    "at",
    "by",
    "via",
    "address",
    "action",
    "kind",
    "key",
    "name",
    "before",
    "after",
    "note",
)
