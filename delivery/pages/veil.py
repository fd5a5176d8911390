"""Real events on the pages of delivery as a person may see them: personal fields are hidden from whom they do not concern."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import EventType
from catalog.personal import hidden_from, hide, pointers
from delivery.deadletters.causes import unquoted
from delivery.deadletters.chosen import Chosen, Letter
from delivery.deadletters.listing import Group, hidden_within
from delivery.pages.samples import Seen
from delivery.tracking.attempts import Attempt
from delivery.tracking.facts import LogFacts
from delivery.tracking.journey import Journey, Passed, Stop
from rules.engine import Event, TransformError, compile_transform
from rules.personal_fields import READS, fields_read


def hidden_for(user: Any, seen: Collection[Seen]) -> Mapping[str, Collection[str]]:
    """Per event type among `seen` the paths that `user` may not see; types with none are missing."""
    return hidden_from(user, {one.type for one in seen})


def veiled(seen: Seen, paths: Collection[str]) -> Seen:
    """`seen` without what is at `paths` of its data."""
    return seen._replace(event=Event.from_json(hide(seen.event.to_json(), paths).text.encode()))


def hides(path: str, paths: Collection[str]) -> bool:
    """Whether a condition on `path` (`data.lines.name`, entries unnamed) looks at something personal."""
    first, *names = path.split(".")
    if first != "data":
        return False
    for pointer in pointers(paths):
        marked = [part for part in pointer.split("/")[1:] if part not in ("[]", "{}", "*")]
        shared = min(len(marked), len(names))
        if marked[:shared] == names[:shared]:
            return True
    return False


def sends_hidden(user: Any, seen: Seen, sends: Mapping[str, Any]) -> bool:
    """Whether a target would send something personal of `seen` that `user` may not see.

    `sends`: its transform, and what its settings read (rules/settings_read.py).
    """
    paths = hidden_from(user, [seen.type]).get(seen.type)
    if not paths or not hide(seen.event.to_json(), paths).fields:
        return False
    transform = {name: value for name, value in sends.items() if name != READS}
    compiled = compile_transform(transform or {"kind": "complete"})
    if compiled.whole or fields_read(sends.get(READS, ()), list(paths)):
        return True
    try:
        return compiled.apply(seen.event).body != compiled.apply(veiled(seen, paths).event).body
    except TransformError:
        return True


def journey_for(user: Any, found: Journey) -> Journey:
    """The journey as `user` may see it; what was sent is worked out from the event without its personal fields, too."""
    paths = hidden_from(user, [found.event.type]).get(found.event.type)
    if not paths:
        return found
    event = found.event._replace(raw=hide(found.event.raw, paths).text.encode())
    return replace(
        found,
        event=event,
        passed=[_passed(one, paths) for one in found.passed],
        stops=[_stop(one) for one in found.stops],
    )


def _stop(one: Stop) -> Stop:
    """Without what the target answered: an answer often repeats what was sent."""
    trouble = one.trouble
    if trouble is not None and trouble.reason:
        trouble = replace(trouble, reason=answer_hidden(), response=trouble.response and answer_hidden())
    return replace(one, attempts=[attempt_veiled(each) for each in one.attempts], trouble=trouble)


def letters_for(user: Any, letters: Sequence[Letter]) -> list[Letter]:
    """Dead letters without the reasons that may quote what `user` may not see. Their causes' ids are to be taken before."""
    hidden = hidden_from(user, {one.type for one in letters})
    return [
        one._replace(reason=reason_veiled(one.reason)) if one.type in hidden and _quotes(one.reason) else one
        for one in letters
    ]


def searched_by(user: Any, chosen: Chosen) -> Chosen:
    """`chosen` without dead letters whose reasons `user` may not see, where it looks for a text in them."""
    types = tuple(sorted(_hidden_types(user))) if chosen.text else ()
    return replace(chosen, but=types) if types else chosen


def groups_for(user: Any, groups: Sequence[Group]) -> list[Group]:
    """Groups of dead letters as `user` may see them: of one with personal data that is hidden no reason is shown."""
    if not groups or not (types := sorted(_hidden_types(user))):
        return list(groups)
    found = []
    for group in groups:
        if _quotes(group.example) and hidden_within(group, types):
            group = group._replace(shown=reason_veiled(group.example))
        found.append(group)
    return found


def _hidden_types(user: Any) -> set[str]:
    """All event types with personal fields that `user` may not see."""
    return set(hidden_from(user, EventType.objects.exclude(personal=[]).values_list("name", flat=True)))


def rules_with_hidden(user: Any | None) -> set[int]:
    """The rules that may take an event with personal fields: such as `user` may not see, or any where nobody is known."""
    if user is None:
        types = set(EventType.objects.exclude(personal=[]).values_list("name", flat=True))
    else:
        types = _hidden_types(user)
    return {rule for rules in LogFacts().rules_by_name(types).values() for rule in rules} if types else set()


def reason_veiled(reason: str) -> str:
    """Why a target does not get on, without what it answered."""
    if not _quotes(reason):
        return reason
    hidden = _("What it said is hidden: it may repeat personal data.")
    return f"{unquoted(reason)} {hidden}".strip()


def _quotes(reason: str) -> bool:
    """Whether a reason may say more than Signalbox's own words."""
    return bool(reason) and unquoted(reason) != reason


def answer_hidden() -> str:
    """In place of what a target answered."""
    return _("Its answer is hidden: the event has personal data that you may not see.")


def attempt_veiled(attempt: Attempt) -> Attempt:
    """The attempt without what the target answered, which its reason may quote."""
    return attempt._replace(
        reason=attempt.reason and answer_hidden(), response=attempt.response and answer_hidden()
    )


def _passed(one: Passed, paths: Sequence[str]) -> Passed:
    if one.failed is None or not hides(one.failed.path, paths):
        return one
    sentence = _("%(path)s is not what it wants (hidden: personal data)") % {"path": one.failed.path}
    return replace(one, failed=replace(one.failed, sentence=sentence))
