"""What an owner's answer means for the rules of the team that asked: a no pauses what is sent personal fields."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from catalog.approvals import decided
from catalog.models import Approval
from rules import revisions
from rules.engine import Event, compile_types
from rules.filtering import filter_of
from rules.models import Rule, Target
from rules.personal_fields import fields_sent
from rules.settings_read import sent_by


def affected(approval: Approval) -> list[tuple[Target, tuple[str, ...]]]:
    """The targets of the team's listening rules that are sent personal fields of the type, and which."""
    event_type = approval.event_type
    rules = {one.pk: one for one in Rule.objects.filter(team=approval.team_id, enabled=True)}
    matcher = compile_types((pk, filter_of(rule)) for pk, rule in rules.items())
    takes = set(matcher.match(Event({"type": event_type.name}, None)))
    targets = Target.objects.filter(rule__team=approval.team_id, rule__enabled=True).select_related("rule")
    sent = [(one, fields_sent(sent_by(one), event_type.personal)) for one in targets if one.rule_id in takes]
    return [(target, fields) for target, fields in sent if fields]


def _decided(sender: Any, approval: Approval, by: Any, **kwargs: Any) -> None:
    event_type = approval.event_type
    if approval.state != Approval.State.REFUSED or event_type.team_id == approval.team_id:
        return
    for target, fields in affected(approval):
        if target.state == Target.State.PAUSED:
            continue
        reason = _("%(owner)s does not let %(team)s receive %(fields)s of %(type)s.") % {
            "owner": event_type.team.name,
            "team": approval.team.name,
            "fields": ", ".join(fields),
            "type": event_type.name,
        }
        revisions.set_state(target, Target.State.PAUSED, f"{reason} {approval.answer}".strip())


def connect() -> None:
    """Pauses what an owner's no ends."""
    decided.connect(_decided, dispatch_uid="approval-decided")
