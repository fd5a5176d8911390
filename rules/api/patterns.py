"""`patterns:test` and `patterns:explain`: which events a filter takes, and why not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.access import check_bus
from catalog.api.operation import Operation
from rules.api.described import explains_pattern, tests_pattern
from rules.api.reading import FILTER, Asked, TriedEvent
from rules.engine import ABSENT, Condition, Event, Filter, compile, explain
from rules.engine.cesql.errors import place
from rules.filtering import filter_of
from rules.models import Rule

# Saying why costs much more than saying whether: so many events are explained, and for so many seconds.
MOST_EXPLAINED, LONGEST = 100, 1.0


class TestPattern(Operation):
    """POST patterns:test: for each event whether the filter takes it, and the first condition that failed."""

    needs = "rules.view_rule"

    @tests_pattern
    def post(self, request: Request) -> Response:
        """`pattern`, `sql`, `filters`, one or more, with `event`, `events`, or `bus` and `last`."""
        asked = Asked(request, (*FILTER, "event", "events", "bus", "last"))
        wanted = asked.filter()
        which = asked.only_one("event", "events", "bus")
        if "last" in asked and which != "bus":
            asked.wrong("/last", _("“last” counts events of a “bus”: name it."))
        events = asked.latest() if which == "bus" else asked.events() if which else []
        asked.check()
        assert wanted is not None
        lines = _tried(wanted, events)
        return Response(
            {"matched": sum(line["matched"] for line in lines), "looked_at": len(lines), "events": lines}
        )


class ExplainPattern(Operation):
    """POST patterns:explain: every condition, what it wanted, what it saw and whether it held."""

    needs = "rules.view_rule"

    @explains_pattern
    def post(self, request: Request) -> Response:
        """`rule`, or `pattern`, `sql`, `filters`, one or more, with `event` or `seq`."""
        asked = Asked(request, (*FILTER, "rule", "event", "seq"))
        wanted, rule = None, None
        if "rule" not in asked:
            wanted = asked.filter()
        elif any(name in asked for name in FILTER):
            asked.wrong("/rule", _("Send a rule's number or a filter, not both."))
        else:
            rule = _rule(asked)
            wanted = filter_of(rule) if rule is not None else None
        found = asked.one_event()
        if rule is not None and found is not None and found.bus not in (None, rule.bus_id):
            asked.wrong(
                "/seq",
                _("Event %(seq)s is not on the bus that “%(rule)s” listens to.")
                % {"seq": found.seq, "rule": rule.name},
            )
        asked.check()
        assert wanted is not None
        assert found is not None
        return Response(_explanation(wanted, found.event) | (_revision(rule) if rule is not None else {}))


def condition(one: Condition, wanted: Filter) -> dict[str, Any]:
    """A condition and its place as JSON; without `seen` when the event has nothing there."""
    answer = {"path": one.path, "operator": one.operator, "wanted": one.wanted}
    if one.seen is not ABSENT:
        answer["seen"] = one.seen
    answer |= {"ok": one.ok, "sentence": one.sentence, "pointer": one.pointer}
    if one.span is not None:
        answer["line"], answer["column"] = place(_expression(one.pointer, wanted), one.span[0])
    return answer


def _expression(pointer: str, wanted: Filter) -> str:
    """The text of the expression that a pointer into a filter leads to."""
    found: Any = wanted._asdict()
    for step in pointer.strip("/").split("/"):
        found = found[int(step)] if isinstance(found, list) else found[step]
    return str(found)


def _tried(wanted: Filter, events: Sequence[TriedEvent]) -> list[dict[str, Any]]:
    matcher = compile([(1, wanted)])
    lines: list[dict[str, Any]] = []
    left, ends = MOST_EXPLAINED, time.monotonic() + LONGEST
    for tried in events:
        matched = bool(matcher.match(tried.event))
        line: dict[str, Any] = {"id": tried.event.attributes.get("id"), "matched": matched}
        if tried.seq is not None:
            line["seq"] = tried.seq
        if not matched and left and time.monotonic() < ends:
            left -= 1
            failed = explain(wanted, tried.event).failed
            line["failed"] = condition(failed, wanted) if failed else None
        lines.append(line)
    return lines


def _explanation(wanted: Filter, event: Event) -> dict[str, Any]:
    found = explain(wanted, event)
    return {
        "matched": found.matched,
        "failed": condition(found.failed, wanted) if found.failed else None,
        "conditions": [condition(one, wanted) for one in found.conditions],
        "choices": list(found.choices),
        "combinations": found.combinations,
    }


def _revision(rule: Rule) -> dict[str, Any]:
    return {"rule": {"id": rule.pk, "name": rule.name, "revision": rule.revision, "listening": rule.enabled}}


def _rule(asked: Asked) -> Rule | None:
    pk = asked.number("rule", 2**63 - 1)
    rule = Rule.objects.filter(pk=pk).first() if pk else None
    if rule is None:
        if pk:
            asked.wrong("/rule", _("There is no rule %(id)s.") % {"id": pk})
        return None
    check_bus(asked.request, rule.bus_id)
    return rule
