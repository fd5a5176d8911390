"""Which dead letters a request means: its filter or its list, read strictly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog.api.asking import Members, pointer
from catalog.api.describing import query
from catalog.api.operation import NO_CURSOR, PAGING
from catalog.api.problem import Invalid, Place
from delivery.deadletters.chosen import Chosen

NAMES = ("target", "rule", "cause", "status", "type", "subject", "text", "since", "until")
NUMBERS, TIMES = ("target", "rule", "status"), ("since", "until")
MOST = 500
FILTERS = (
    query("target", "The target's id.", whole=True),
    query("rule", "The rule's id.", whole=True),
    query("cause", "The id of a cause, from a letter or a group."),
    query("status", "What the target answered.", whole=True),
    query("type", "Of the event, exactly."),
    query("subject", "Of the event, exactly."),
    query("text", "Somewhere in the reason."),
    query("since", "First tried at or after (RFC 3339)."),
    query("until", "First tried before (RFC 3339)."),
)


def chosen_by(asked: Members) -> Chosen:
    """What the members choose; notes problems."""
    which = asked.only_one("filter", "letters")
    if which is None:
        return Chosen(letters=())
    said = asked.value(which)
    if which == "filter":
        if not isinstance(said, dict):
            asked.wrong("/filter", _("This is an object."))
            return Chosen(letters=())
        wrong: list[Place] = []
        chosen = filter_of(said, wrong)
        for one in wrong:
            asked.wrong(one.pointer, one.detail)
        return chosen
    letters: list[tuple[int, int]] = []
    for at, one in enumerate(said if isinstance(said, list) else []):
        if (
            isinstance(one, dict)
            and set(one) == {"target", "seq"}
            and all(type(v) is int for v in one.values())
        ):
            letters.append((one["target"], one["seq"]))
        else:
            asked.wrong(pointer("letters", at), _("This is an object with the numbers target and seq."))
    if not isinstance(said, list) or not 1 <= len(said) <= MOST:
        asked.wrong("/letters", _("This is a list of 1 to %(most)s dead letters.") % {"most": MOST})
    return Chosen(letters=tuple(letters))


def filter_of(said: dict[str, Any], wrong: list[Place] | None = None) -> Chosen:
    """The filter that the values say. Raises Invalid, unless problems go to `wrong`."""
    body, problems = wrong is not None, wrong if wrong is not None else []
    values: dict[str, Any] = {}
    for name, value in said.items():
        at = pointer("filter", name) if body else ""
        if name in PAGING and not body:
            continue
        if name not in NAMES:
            problems.append(Place(_("“%(name)s” means nothing here.") % {"name": name}, at))
        elif name in NUMBERS:
            number = (
                int(value) if str(value).isascii() and str(value).isdigit() and len(str(value)) < 19 else None
            )
            if number is None or isinstance(value, bool):
                problems.append(Place(_("%(name)s is a whole number.") % {"name": name}, at))
            values[name] = number
        elif not isinstance(value, str):
            problems.append(Place(_("%(name)s is a text.") % {"name": name}, at))
        elif name in TIMES:
            values[name] = _microseconds(value)
            if values[name] is None:
                problems.append(
                    Place(
                        _("%(name)s is a time with its zone, such as 2026-03-01T09:30:00Z.") % {"name": name},
                        at,
                    )
                )
        else:
            values[name] = value
    if problems and not body:
        raise Invalid(*problems)
    return Chosen.of(values)


def _microseconds(text: str) -> int | None:
    try:
        found: datetime | None = parse_datetime(text)
    except ValueError:
        return None
    return int(found.timestamp() * 1_000_000) if found is not None and found.tzinfo is not None else None


def cursor_of(text: str | None) -> tuple[int, int] | None:
    """The place (seq, target) that a cursor names. Raises Invalid."""
    if text is None:
        return None
    seq, _dash, target = text.partition("-")
    if not (seq.isdecimal() and target.isdecimal() and len(text) < 40):
        raise Invalid(Place(str(NO_CURSOR), ""))
    return int(seq), int(target)
