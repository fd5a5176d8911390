"""What needs a person: what is wrong, since when, how many events it concerns, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import words
from delivery.deadletters import listing
from delivery.pages.veil import reason_veiled, rules_with_hidden
from delivery.tracking import breakers, waiting
from delivery.tracking.read import MINUTE, marks, now, rows
from delivery.tracking.waiting import Waiting
from delivery.tracking.words import State
from rules.models import Target

# So many are told, the worst first.
MOST = 3
# Targets that are looked at for each kind of trouble.
LOOKED_AT = 10
# What waits at a target that takes events is late after this, in microseconds.
LATE = 2 * MINUTE
# What targets owe, those told of already, rules whose events may be personal → what else needs a person.
Look = Callable[[dict[int, Waiting], set[int], set[int]], "list[Need]"]


class Need(NamedTuple):
    """Something that needs a person: `kind` bad or warn, a sentence in two parts, where to look and what to do.

    `since`: when it began (microseconds), where it is known. `dead`: so many dead letters to be redriven.
    """

    kind: str
    headline: str
    cause: str
    target: Target
    seq: int | None
    dead: int
    since: int | None = None


def needs(groups: Sequence[listing.Group], owes: dict[int, Waiting], only: int | None = None) -> list[Need]:
    """What needs a person, the worst first, at most three; `only`: of that target alone."""
    veiled = rules_with_hidden(None)
    found: list[Need] = []
    for look in (_resting(only), _not_answering(only), _refusing(groups), _retrying, _late):
        told = {need.target.pk for need in found}
        found += look(owes, told, veiled)
        if len(found) >= MOST:
            break
    return found[:MOST]


def _resting(only: int | None) -> Look:
    """Targets that stopped by themselves."""

    def look(owes: dict[int, Waiting], told: set[int], veiled: set[int]) -> list[Need]:
        stopped = Target.objects.filter(state__in=(Target.State.STOPPED, Target.State.DISABLED))
        stopped = stopped if only is None else stopped.filter(pk=only)
        listed = stopped.select_related("rule").order_by("-state_since")[:MOST]
        return [_stopped(target, owes, veiled) for target in listed]

    return look


def _stopped(target: Target, owes: dict[int, Waiting], veiled: set[int]) -> Need:
    since = int(target.state_since.timestamp() * 1_000_000)
    sentence = (
        _("%(target)s asked not to be called again: disabled since %(since)s.")
        if target.state == Target.State.DISABLED
        else _("%(target)s has stopped since %(since)s.")
    )
    headline = sentence % {"target": target.name, "since": _since(since)}
    cause = f"{_said(target, target.state_reason, veiled)} {_wait(owes, target)}".strip()
    return Need("bad", headline, cause, target, None, 0, since)


def _not_answering(only: int | None) -> Look:
    """Targets whose breaker is open."""

    def look(owes: dict[int, Waiting], told: set[int], veiled: set[int]) -> list[Need]:
        left = breakers.every()
        among = (left.keys() if only is None else left.keys() & {only}) - told
        targets = Target.objects.filter(pk__in=among, state=Target.State.RUNNING).select_related("rule")
        found = []
        for target in targets[:MOST]:
            breaker = left[target.pk]
            headline = _("%(target)s does not answer since %(since)s.") % {
                "target": target.name,
                "since": _since(breaker.since),
            }
            cause = f"{_said(target, breaker.reason, veiled)} {_wait(owes, target)}".strip()
            found.append(Need("bad", headline, cause, target, None, 0, breaker.since))
        return found

    return look


def _held_up(owed: Waiting) -> str:
    """A further sentence where exceptions hold up everything that comes after."""
    if not owed.full_of_exceptions:
        return ""
    sentence = _("Nothing new is read for it: %(n)s events wait behind others or are tried again.")
    return f" {sentence % {'n': words.number(owed.stuck)}}"


def _refusing(groups: Sequence[listing.Group]) -> Look:
    """Targets with dead letters, by their cause."""

    def look(owes: dict[int, Waiting], told: set[int], veiled: set[int]) -> list[Need]:
        names = _targets([group.target for group in groups[:LOOKED_AT]])
        all_of: dict[int, int] = {}
        for group in groups:
            all_of[group.target] = all_of.get(group.target, 0) + group.size
        found: list[Need] = []
        for group in groups[:LOOKED_AT]:
            target = names.get(group.target)
            if target is None or group.target in told:
                continue
            told = told | {group.target}
            headline = ngettext(
                "%(target)s has not taken %(n)s event since %(since)s.",
                "%(target)s has not taken %(n)s events since %(since)s.",
                group.size,
            ) % {"target": target.name, "n": words.number(group.size), "since": _since(group.first_at)}
            cause = _said(target, group.example, veiled) + _held_up(owes.get(group.target, waiting.NONE))
            found.append(
                Need("bad", headline, cause, target, group.last_seq, all_of[group.target], group.first_at)
            )
        return found

    return look


def _retrying(owes: dict[int, Waiting], told: set[int], veiled: set[int]) -> list[Need]:
    """Targets that try events again."""
    slow = sorted(
        (pk for pk, owed in owes.items() if owed.retrying and pk not in told),
        key=lambda pk: -owes[pk].retrying,
    )[:MOST]
    targets, first = _targets(slow), _first_tried(slow)
    found = []
    for pk in slow:
        if pk not in targets:
            continue
        latest = rows(
            "SELECT seq, reason FROM runner_exception WHERE target = %s AND reason IS NOT NULL ORDER BY seq DESC LIMIT 1",
            [pk],
        )
        seq, reason = latest[0] if latest else (None, "")
        headline = ngettext(
            "%(target)s did not take %(n)s event yet, since %(since)s; it is tried again.",
            "%(target)s did not take %(n)s events yet, since %(since)s; they are tried again.",
            owes[pk].retrying,
        ) % {
            "target": targets[pk].name,
            "n": words.number(owes[pk].retrying),
            "since": _since(first.get(pk, now())),
        }
        cause = _said(targets[pk], reason or "", veiled)
        found.append(Need("warn", headline, cause, targets[pk], seq, 0, first.get(pk)))
    return found


def _late(owes: dict[int, Waiting], told: set[int], veiled: set[int]) -> list[Need]:
    """Targets that take events, and more come than they take."""
    at = now()
    late = sorted(
        (
            (owed.oldest, pk)
            for pk, owed in owes.items()
            if pk not in told and owed.queued and owed.oldest is not None and at - owed.oldest > LATE
        )
    )[:LOOKED_AT]
    targets = _targets([pk for _oldest, pk in late])
    found = []
    for oldest, pk in late:
        target = targets.get(pk)
        # What starts in the past waits on purpose, and so does what a person paused or switched off.
        if target is None or owes[pk].past is not None or not _takes(target):
            continue
        headline = ngettext(
            "%(target)s falls behind: %(n)s event waits, the oldest since %(since)s.",
            "%(target)s falls behind: %(n)s events wait, the oldest since %(since)s.",
            owes[pk].waiting,
        ) % {"target": target.name, "n": words.number(owes[pk].waiting), "since": _since(oldest)}
        found.append(Need("warn", headline, "", target, None, 0, oldest))
    return found


def _takes(target: Target) -> bool:
    return target.state == Target.State.RUNNING and target.rule.enabled


def _targets(pks: Sequence[int]) -> dict[int, Target]:
    return {target.pk: target for target in Target.objects.filter(pk__in=pks).select_related("rule")}


def _first_tried(targets: Sequence[int]) -> dict[int, int]:
    """When the first of the events that are tried again was tried first."""
    found = rows(
        f"SELECT target, min(first_at) FROM runner_exception WHERE state = %s AND target IN ({marks(targets)}) GROUP BY 1",
        [int(State.RETRY), *targets],
    )
    return {int(target): int(first) for target, first in found if first}


def _wait(owes: dict[int, Waiting], target: Target) -> str:
    queued = owes.get(target.pk, waiting.NONE).waiting
    return ngettext("%(n)s event waits.", "%(n)s events wait.", queued) % {"n": words.number(queued)}


def _said(target: Target, reason: str, veiled: set[int]) -> str:
    """The page is the same for everybody who looks: where an event may be personal, no answer is quoted on it."""
    return reason_veiled(reason) if target.rule_id in veiled else reason


def _since(microseconds: int) -> str:
    at = words.moment(microseconds)
    return (
        at.strftime("%H:%M")
        if now() - microseconds < 20 * 3600 * 1_000_000
        else date_format(at, _("d M H:i"))
    )
