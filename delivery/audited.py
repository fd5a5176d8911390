"""What the audit log records of deliveries: request bins, what was asked for dead letters, switches."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.audit.kinds import Action, Kind, Values, Watch, keys_in, known
from catalog.audit.watching import watch
from delivery.models import LetterJob, RequestBin, Switch


def _asked(before: Values, after: Values) -> Action:
    return Action.DISCARDED if after.get("kind") == LetterJob.Kind.DISCARD else Action.REDRIVEN


def _switched(before: Values, after: Values) -> Action:
    return Action.ENABLED if after.get("on") else Action.DISABLED


def connect() -> None:
    """Called when Django starts."""
    known("bin", Kind(_("request bin"), lambda key: reverse("bin", args=[key]), keys_in(RequestBin, "pk")))
    known(
        "dead-letters",
        Kind(_("dead letters"), lambda key: reverse("dead-letters"), keys_in(LetterJob, "pk")),
    )
    known("switch", Kind(_("switch"), lambda key: reverse("welcome"), keys_in(Switch, "name")))
    # Whoever knows the address of a bin can send to it.
    watch(
        RequestBin, Watch("bin", lambda row: str(row.pk), without=frozenset({"id", "address", "created_at"}))
    )
    watch(
        LetterJob,
        Watch(
            "dead-letters",
            lambda row: str(row.pk),
            lambda row: f"{row.kind} {row.total:,}",
            fields=("kind", "chosen", "reason", "total"),
            flat=("chosen",),
            act=_asked,
        ),
    )
    watch(Switch, Watch("switch", lambda row: row.name, act=_switched))
