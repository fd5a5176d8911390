"""Rules as something that a team owns: they go to another team by a new revision."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog import owning
from catalog.models import Team
from rules.models import Rule
from rules.personal import NotApproved
from rules.revisions import save_rule


def _move(rule: Rule, to: Team, by: Any) -> None:
    rule.team = to
    try:
        save_rule(rule, by)
    except NotApproved as error:
        why = {"rule": rule.name, "team": to.name, "why": error}
        raise owning.NotMovable(_t("The rule %(rule)s cannot go to %(team)s. %(why)s") % why) from error


def connect() -> None:
    """Called when Django starts."""
    owning.register(
        owning.Owned(
            _("Rules"),
            "git-fork",
            lambda team: Rule.objects.filter(team=team).order_by("name", "pk"),
            lambda row: reverse("rule", args=[row.pk]),
            _move,
        )
    )
