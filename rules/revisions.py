"""Saving rules and targets: one transaction under the log's lock that writes the row, its revision and the stamp.

After it commits, the next commit of the log, in any process, is matched against the new rules.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog import stamps
from rules.models import Rule, RuleRevision, Target, TargetRevision, policy_of


def save_rule(rule: Rule, by: Any = None) -> Rule:
    """Saves `rule` as a new revision, live for the next event. Its targets are those saved so far."""
    with transaction.atomic():
        version = stamps.bump(stamps.RULES)
        rule.revision += 1
        rule.updated_at = timezone.now()
        rule.save()
        _record(rule, version, by)
    return rule


def save_target(target: Target, by: Any = None) -> Target:
    """Saves `target` as a new revision; a new one takes its rule's events from the next commit on."""
    with transaction.atomic():
        version = stamps.bump(stamps.RULES)
        target.revision += 1
        target.save()
        TargetRevision.objects.create(
            target_id=target.pk,
            number=target.revision,
            name=target.name,
            connector=target.connector,
            config=target.config,
            transform=target.transform,
            policy=policy_of(target),
            by=by,
        )
        _record(target.rule, version, by)
    return target


def subscribe(rule: Rule, target: Target, by: Any = None) -> Rule:
    """Saves a rule and its first target in one step, so that no event sees the one without the other."""
    with transaction.atomic():
        stamps.hold_log()
        save_rule(rule, by)
        target.rule = rule
        save_target(target, by)
    return rule


def set_state(target: Target, state: str, reason: str = "") -> None:
    """Runs, pauses or stops `target`; its backlog stays. Shifts see it within a second."""
    with transaction.atomic():
        stamps.bump(stamps.RULES)
        Target.objects.filter(pk=target.pk).update(
            state=state, state_reason=reason[:500], state_since=timezone.now()
        )
    target.refresh_from_db()


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


def _record(rule: Rule, version: int, by: Any) -> None:
    RuleRevision.objects.create(
        rule_id=rule.pk,
        number=rule.revision,
        rules_version=version,
        bus_id=rule.bus_id,
        name=rule.name,
        pattern=rule.pattern,
        enabled=rule.enabled,
        target_ids=list(rule.targets.order_by("id").values_list("id", flat=True)),
        by=by,
    )
