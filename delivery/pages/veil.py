"""Real events on the pages of delivery as a person may see them: personal fields are hidden from whom they do not concern."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from catalog.personal import hidden_from, hide, pointers
from delivery.pages.samples import Seen
from delivery.tracking.journey import Journey, Passed
from rules.engine import Event, TransformError, compile_transform
from rules.personal_fields import READS, fields_read


def hidden_for(user: Any, seen: Collection[Seen]) -> Mapping[str, Collection[str]]:
    """Per event type among `seen` the paths that `user` may not see; types with none are missing."""
    return hidden_from(user, {one.type for one in seen})


def veiled(seen: Seen, paths: Collection[str]) -> Seen:
    """`seen` without what is at `paths` of its data."""
    return seen._replace(event=Event.from_json(hide(seen.event.to_json(), paths).text.encode()))


def hidden_why(why: str) -> str:
    """In place of why an output does not fit, which may quote a value; "" when it does fit."""
    return why and _("It does not fit. Why is hidden: personal data.")


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
    return replace(found, event=event, passed=[_passed(one, paths) for one in found.passed])


def _passed(one: Passed, paths: Sequence[str]) -> Passed:
    if one.failed is None or not hides(one.failed.path, paths):
        return one
    sentence = _("%(path)s is not what it wants (hidden: personal data)") % {"path": one.failed.path}
    return replace(one, failed=replace(one.failed, sentence=sentence))
