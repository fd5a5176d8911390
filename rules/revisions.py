"""Saving rules and targets: one transaction under the log's lock that writes the row, its revision and the stamp.

After it commits, the next commit of the log, in any process, is matched against the new rules.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import stamps
from catalog.audit import watching
from rules import personal
from rules.models import POLICY_FIELDS, Rule, RuleRevision, Target, TargetRevision, policy_of


def save_rule(rule: Rule, by: Any = None, back_to: int | None = None, along: Target | None = None) -> Rule:
    """Saves `rule` as a new revision, live for the next event. Its targets are those saved so far.

    `along`: a target of it that is saved in the same transaction, after it. Raises NotApproved (rules.personal).
    """
    with transaction.atomic():
        version = stamps.bump(stamps.RULES)
        personal.check_rule(rule, by, along)
        _store(rule)
        _record(rule, version, by, back_to)
    return rule


def _store(rule: Rule) -> None:
    rule.revision += 1
    rule.updated_at = timezone.now()
    rule.save()


def save_target(target: Target, by: Any = None, back_to: int | None = None) -> Target:
    """Saves `target` as a new revision; a new one takes its rule's events from the next commit on. Raises NotApproved."""
    with transaction.atomic():
        version = stamps.bump(stamps.RULES)
        personal.check_target(target, by)
        target.revision += 1
        target.save()
        TargetRevision.objects.create(
            target_id=target.pk,
            number=target.revision,
            name=target.name,
            connector=target.connector,
            config=target.config,
            transform=target.transform,
            contract=target.contract,
            policy=policy_of(target),
            back_to=back_to,
            by=by,
        )
        _record(target.rule, version, by)
    return target


def subscribe(rule: Rule, target: Target, by: Any = None) -> Rule:
    """Saves a rule and its first target in one step, so that no event sees the one without the other.

    There is one record of it, not one of the rule and one of the target that came to it.
    """
    with transaction.atomic():
        stamps.hold_log()
        _store(rule)
        target.rule = rule
        save_target(target, by)
    return rule


def start(rule: Rule, by: Any = None, along: Target | None = None) -> Rule:
    """Lets a draft, or a rule that was switched off, listen: it takes every event from the next commit on.

    `along` and what is raised as in `save_rule`.
    """
    rule.draft, rule.enabled = False, True
    return save_rule(rule, by, along=along)


def roll_back_rule(rule: Rule, to: RuleRevision, by: Any = None) -> Rule:
    """Makes `rule` filter as it did in revision `to`, as a new revision. Whether it listens and its targets stay.

    Raises ValueError when `to` is the record of its deletion.
    """
    if to.pattern is None:
        raise ValueError("The record of a deletion holds nothing to go back to.")
    rule.pattern, rule.sql, rule.filters = to.pattern, to.sql, to.filters
    rule.name, rule.description = to.name, to.description
    return save_rule(rule, by, back_to=to.number)


def roll_back_target(target: Target, to: TargetRevision, by: Any = None) -> Target:
    """Makes `target` deliver as it did in revision `to`, as a new revision. Whether it runs stays."""
    target.name, target.connector, target.config = to.name, to.connector, to.config
    target.transform, target.contract = to.transform, to.contract
    for name in POLICY_FIELDS:
        if name in to.policy:
            setattr(target, name, to.policy[name])
    return save_target(target, by, back_to=to.number)


class NotThere(ValueError):
    """Dead letters cannot go on to that target; says why."""


def send_dead_letters_to(target: Target, to: Target | None, by: Any = None) -> Target:
    """Lets what `target` finally did not take go on to `to`, from what is dead by now on; None: to nobody.

    Of the same team only: it may see the personal fields that `target` was approved for. Raises NotThere.
    """
    with transaction.atomic():
        stamps.hold_log()
        seen = {target.pk}
        link = to
        while link is not None:
            if link.pk in seen:
                raise NotThere(_("Its dead letters come to this target in the end: that would be a circle."))
            seen.add(link.pk)
            link = link.dead_letters_to
        if to is not None and to.rule.team_id != target.rule.team_id:
            raise NotThere(_("It belongs to another team. Dead letters go to a target of the same team."))
        target.dead_letters_to = to
        return save_target(target, by)


def set_state(target: Target, state: str, reason: str = "") -> None:
    """Runs, pauses, stops or disables `target`; its backlog stays. Shifts see it within a second.

    The time that it did not run is added up: no event grows older for its policy meanwhile. Raises NotApproved when it
    is to run and an owner's last answer was no to personal fields that it is sent.
    """
    now = timezone.now()
    with transaction.atomic():
        stamps.bump(stamps.RULES)
        if state == Target.State.RUNNING:
            personal.check_running(target)
        before = Target.objects.get(pk=target.pk)
        rested = before.rested
        if before.state != Target.State.RUNNING:
            rested += max(0, (now - before.state_since) // timedelta(microseconds=1))
        Target.objects.filter(pk=target.pk).update(
            state=state, state_reason=reason[:500], state_since=now, rested=rested
        )
        target.refresh_from_db()
        watching.changed(before, target)


def grant_rate(target: Target, per_minute: int | None) -> None:
    """Keeps the rate that a target granted itself (events a minute; None: it said nothing). Shifts follow within a second.

    No revision: nobody changed the target. CloudEvents HTTP Webhook 1.0.1 §4.2, WebHook-Allowed-Rate.
    """
    with transaction.atomic():
        stamps.bump(stamps.RULES)
        Target.objects.filter(pk=target.pk).update(granted_rate=per_minute)
    target.granted_rate = per_minute


def delete_rule(rule: Rule, by: Any = None) -> None:
    """Deletes `rule` with its targets. What they had not delivered yet is dropped with them."""
    with transaction.atomic():
        version = stamps.bump(stamps.RULES)
        RuleRevision.objects.create(
            rule_id=rule.pk,
            number=rule.revision + 1,
            rules_version=version,
            bus_id=rule.bus_id,
            name=rule.name,
            description=rule.description,
            pattern=None,
            enabled=False,
            target_ids=[],
            by=by,
        )
        rule.delete()


def delete_target(target: Target, by: Any = None) -> None:
    """Deletes `target`; its rule stays."""
    with transaction.atomic():
        version = stamps.bump(stamps.RULES)
        rule = target.rule
        target.delete()
        _record(rule, version, by)


def _record(rule: Rule, version: int, by: Any, back_to: int | None = None) -> None:
    RuleRevision.objects.create(
        rule_id=rule.pk,
        number=rule.revision,
        rules_version=version,
        bus_id=rule.bus_id,
        name=rule.name,
        description=rule.description,
        pattern=rule.pattern,
        sql=rule.sql,
        filters=rule.filters,
        enabled=rule.enabled,
        draft=rule.draft,
        target_ids=list(rule.targets.order_by("id").values_list("id", flat=True)),
        back_to=back_to,
        by=by,
    )
