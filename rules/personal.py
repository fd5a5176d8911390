"""Personal data: what of it a rule's targets are sent, and whether its owner lets the rule's team receive it.

A rule that listens sends personal fields of an event type only when its team owns the type or has its approval, and
only when whoever saves it is of that team. What was sent before fields were marked goes on, and the owner is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from catalog.approvals import said_no
from catalog.models import Approval, EventType, Team
from catalog.ownership import is_member
from rules.engine import Event, Filter, compile_types
from rules.filtering import filter_of
from rules.listening import rules_taking
from rules.models import Rule, Target
from rules.personal_fields import fields_sent
from rules.settings_read import sent_by

Sends = tuple[int | None, Mapping[str, Any]]
"""A target's id, None for a new one, and its transform with what its settings read (rules/settings_read.py)."""


class Claim(NamedTuple):
    """Personal fields of an event type that a team's targets are sent; `approval` is its owner's, if one was asked for."""

    event_type: EventType
    fields: tuple[str, ...]
    team: Team
    approval: Approval | None

    @property
    def is_own(self) -> bool:
        """Whether the team owns the type, which needs nobody's approval."""
        return self.event_type.team_id == self.team.pk

    @property
    def is_allowed(self) -> bool:
        """Whether the team may receive them."""
        granted = self.approval is not None and self.approval.state == Approval.State.GRANTED
        return self.is_own or granted

    @property
    def fields_text(self) -> str:
        """The fields as a list."""
        return ", ".join(self.fields)

    @property
    def sentence(self) -> str:
        """What is needed, or what was decided."""
        said = {
            "fields": self.fields_text,
            "type": self.event_type.name,
            "owner": self.event_type.team.name,
            "team": self.team.name,
        }
        if self.approval is not None and self.approval.state == Approval.State.REFUSED:
            text = _("%(owner)s does not let %(team)s receive %(fields)s of %(type)s.") % said
            return f"{text} {self.approval.answer}".strip()
        return _("%(fields)s of %(type)s is personal data: %(owner)s has to let %(team)s receive it.") % said


class NotApproved(ValueError):
    """A rule would send personal fields that its team may not receive; `claims` says which. The text is for people."""

    def __init__(self, message: str, claims: Sequence[Claim] = ()) -> None:
        super().__init__(message)
        self.claims = list(claims)


def claims(wanted: Filter, team: Team, transforms: Iterable[Mapping[str, Any]]) -> list[Claim]:
    """What targets with these transforms are sent of personal fields of the types that `wanted` could take, by type."""
    types = _taken(wanted)
    if not types:
        return []
    listed = list(transforms)
    sent = [(one, _fields(one, listed)) for one in types]
    return _claims([(one, fields) for one, fields in sent if fields], team)


def claims_of(rule: Rule) -> list[Claim]:
    """The same of a saved rule."""
    return claims(filter_of(rule), rule.team, [sent_by(target) for target in rule.targets.all()])


def lacking(rule: Rule, wanted: Filter, sends: Sequence[Sends]) -> list[Claim]:
    """What the team of `rule` may not receive if it listens for `wanted`, but for what its saved self is sent already."""
    return [claim for claim in _claims(_new(rule, wanted, sends), rule.team) if not claim.is_allowed]


def refusal(rule: Rule, wanted: Filter, sends: Sequence[Sends], by: Any) -> NotApproved | None:
    """Why `rule` must not listen like this, None when it may. `by`: who saves it, None for Signalbox itself."""
    new = _new(rule, wanted, sends)
    lacks = [claim for claim in _claims(new, rule.team) if not claim.is_allowed]
    if lacks:
        return NotApproved(" ".join(claim.sentence for claim in lacks), lacks)
    if not new or by is None or is_member(by, rule.team):
        return None
    return NotApproved(_not_of_the_team(*new[0], rule.team))


def check_rule(rule: Rule, by: Any, along: Target | None = None) -> None:
    """Raises NotApproved when the rule is to listen and must not. `along`: a target of it that is saved with it."""
    if not rule.enabled or rule.pk is None:
        return
    targets = [
        along if along is not None and one.pk == along.pk else one for one in Target.objects.filter(rule=rule)
    ]
    if wrong := refusal(rule, filter_of(rule), [(one.pk, sent_by(one)) for one in targets], by):
        raise wrong


def check_target(target: Target, by: Any) -> None:
    """Raises NotApproved when its rule listens and the target must not be sent what its transform asks for."""
    rule = target.rule
    if rule.enabled and (wrong := refusal(rule, filter_of(rule), [(target.pk, sent_by(target))], by)):
        raise wrong


def check_running(target: Target) -> None:
    """Raises NotApproved when an owner's last answer was no to what the target is sent."""
    rule = target.rule
    ended = [one for one in claims(filter_of(rule), rule.team, [sent_by(target)]) if said_no(one.approval)]
    if lacks := [one for one in ended if not one.is_own]:
        raise NotApproved(" ".join(claim.sentence for claim in lacks), lacks)


def refusal_of_one(type_name: str, team: Team | None, transform: Mapping[str, Any], by: Any) -> str:
    """Why one event of a type must not be sent by hand for `team`, in a sentence; "" when it may."""
    marked = EventType.objects.filter(name=type_name).exclude(personal=[]).select_related("team").first()
    fields = _fields(marked, [transform]) if marked is not None else ()
    if marked is None or not fields:
        return ""
    if team is None:
        return _("Choose the rule's team first: %(fields)s is personal data.") % {"fields": ", ".join(fields)}
    [claim] = _claims([(marked, fields)], team)
    if not claim.is_allowed:
        return claim.sentence
    return "" if is_member(by, team) else _not_of_the_team(marked, fields, team)


class Receiver(NamedTuple):
    """A target of a rule that listens, and the personal fields of `event_type` that it is sent."""

    event_type: EventType
    target: Target
    fields: tuple[str, ...]
    approval: Approval | None


def receivers(types: Iterable[EventType]) -> list[Receiver]:
    """Who receives personal fields of these types without being their owner, approved or not."""
    marked = [one for one in types if _marks(one)]
    takes = {one.pk: rules_taking(one.name) for one in marked}
    wanted = {pk for pks in takes.values() for pk in pks}
    by_rule: dict[int, list[Target]] = {}
    for part in _parts(sorted(wanted)):
        for target in Target.objects.filter(rule__in=part).select_related("rule__team").order_by("name"):
            by_rule.setdefault(target.rule_id, []).append(target)
    answers = {
        (one.event_type_id, one.team_id): one
        for one in Approval.objects.filter(event_type__in=[one.pk for one in marked])
    }
    return [
        Receiver(one, target, fields, answers.get((one.pk, target.rule.team_id)))
        for one in marked
        for pk in takes[one.pk]
        for target in by_rule.get(pk, [])
        if target.rule.team_id != one.team_id and (fields := fields_sent(sent_by(target), _marks(one)))
    ]


def _parts(values: list[int], size: int = 500) -> Iterable[list[int]]:
    return (values[at : at + size] for at in range(0, len(values), size))


def _taken(wanted: Filter) -> list[EventType]:
    """The event types with personal fields that a filter could take."""
    marked = list(EventType.objects.exclude(personal=[]).select_related("team").order_by("name"))
    if not marked:
        return []
    matcher = compile_types([(0, wanted)])
    return [one for one in marked if matcher.match(Event({"type": one.name}, None))]


def _marks(event_type: EventType) -> list[str]:
    return [path for path in event_type.personal if isinstance(path, str)]


def _fields(event_type: EventType, transforms: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    marks = _marks(event_type)
    sent = {field for transform in transforms for field in fields_sent(transform, marks)}
    return tuple(field for field in marks if field in sent)


def _claims(found: Sequence[tuple[EventType, tuple[str, ...]]], team: Team) -> list[Claim]:
    asked = Approval.objects.filter(team=team, event_type__in=[one.pk for one, _fields in found])
    answers = {one.event_type_id: one for one in asked.select_related("decided_by")} if found else {}
    return [Claim(one, fields, team, answers.get(one.pk)) for one, fields in found]


def _not_of_the_team(event_type: EventType, fields: Sequence[str], team: Team) -> str:
    return _(
        "%(fields)s of %(type)s is personal data: only members of %(team)s and staff let its rules receive it."
    ) % {"fields": ", ".join(fields), "type": event_type.name, "team": team.name}


def _new(rule: Rule, wanted: Filter, sends: Sequence[Sends]) -> list[tuple[EventType, tuple[str, ...]]]:
    """What a rule that listens for `wanted` sends of each type, but for what its saved self sends to the same target."""
    types = _taken(wanted)
    if not types:
        return []
    held, found = _held(rule), []
    for one in types:
        marks = _marks(one)
        sent = {
            field
            for pk, transform in sends
            for field in fields_sent(transform, marks)
            if (pk, one.pk, field) not in held
        }
        if sent:
            found.append((one, tuple(field for field in marks if field in sent)))
    return found


def _held(rule: Rule) -> set[tuple[int | None, int, str]]:
    """(target, type, field) of what the rule is sent as it is saved, for the team it has."""
    if rule.pk is None:
        return set()
    saved = Rule.objects.filter(pk=rule.pk, enabled=True, team=rule.team_id).first()
    if saved is None:
        return set()
    targets = list(Target.objects.filter(rule=saved))
    return {
        (target.pk, one.pk, field)
        for one in _taken(filter_of(saved))
        for target in targets
        for field in fields_sent(sent_by(target), _marks(one))
    }
