"""What the audit log records of rules and targets, with the secrets of a target's config as dots."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.audit.kinds import Action, Kind, Values, Watch, keys_in, known
from catalog.audit.watching import watch
from rules.changes import hide
from rules.models import Rule, Target, Trial


def _listening(before: Values, after: Values) -> Action | None:
    if not before or "enabled" not in after:
        return None
    return Action.ENABLED if after["enabled"] else Action.DISABLED


def _running(before: Values, after: Values) -> Action | None:
    if not before or "state" not in after:
        return None
    states = {
        Target.State.RUNNING: Action.RESUMED,
        Target.State.PAUSED: Action.PAUSED,
        Target.State.DISABLED: Action.DISABLED,
    }
    return states.get(Target.State(after["state"]))


def _masked(values: Values) -> Values:
    """A target's values as they may be shown. Without its connector, nothing of its config may."""
    if "config" not in values:
        return values
    return {**values, "config": hide(str(values.get("connector", "")), values["config"] or {})}


def connect() -> None:
    """Called when Django starts."""
    known("rule", Kind(_("rule"), lambda key: reverse("rule", args=[key]), keys_in(Rule, "pk")))
    known("target", Kind(_("target"), lambda key: reverse("target", args=[key]), keys_in(Target, "pk")))
    watch(Rule, Watch("rule", lambda row: str(row.pk), act=_listening))
    watch(
        Target,
        Watch(
            "target",
            lambda row: str(row.pk),
            without=frozenset(
                {"id", "created_at", "revision", "state_since", "rested", "granted_rate", "starts"}
            ),
            hide=_masked,
            flat=("config",),
            act=_running,
        ),
    )
    # A past event that somebody sent by hand, from the editor.
    watch(
        Trial,
        Watch(
            "target",
            lambda row: str(row.target_id or ""),
            lambda row: row.target,
            fields=("rule_id", "seq", "event_id", "where", "outcome", "status"),
            act=lambda before, after: Action.SENT,
        ),
    )
