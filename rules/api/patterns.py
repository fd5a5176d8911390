"""`patterns:test` and `patterns:explain`: which events a pattern takes, and why not."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from rules.api.access import check_bus
from rules.api.operation import Operation
from rules.api.reading import Asked, TriedEvent
from rules.engine import ABSENT, Condition, compile, explain
from rules.models import Rule


class TestPattern(Operation):
    """POST patterns:test: for each event whether the pattern takes it, and the first condition that failed."""

    needs = "rules.view_rule"

    def post(self, request: Request) -> Response:
        """`pattern` with `event`, `events`, or `bus` and `last`."""
        asked = Asked(request, ("pattern", "event", "events", "bus", "last"))
        pattern = None
        if "pattern" in asked:
            pattern = asked.pattern()
        else:
            asked.wrong("/pattern", _("Send a pattern, as in {}."))
        which = asked.only_one("event", "events", "bus")
        if "last" in asked and which != "bus":
            asked.wrong("/last", _("“last” counts events of a “bus”: name it."))
        events = asked.latest() if which == "bus" else asked.events() if which else []
        asked.check()
        assert pattern is not None
        matcher = compile([(1, pattern)])
        lines = [_tried(one, pattern, bool(matcher.match(one.event))) for one in events]
        return Response(
            {"matched": sum(line["matched"] for line in lines), "looked_at": len(lines), "events": lines}
        )


class ExplainPattern(Operation):
    """POST patterns:explain: every condition, what it wanted, what it saw and whether it held."""

    needs = "rules.view_rule"

    def post(self, request: Request) -> Response:
        """`pattern` or `rule`, with `event` or `seq`."""
        asked = Asked(request, ("pattern", "rule", "event", "seq"))
        by = asked.only_one("pattern", "rule")
        rule = _rule(asked) if by == "rule" else None
        pattern = asked.pattern() if by == "pattern" else rule.pattern if rule else None
        which = asked.only_one("event", "seq")
        found = (
            asked.stored_event() if which == "seq" else next(iter(asked.events()), None) if which else None
        )
        if rule is not None and found is not None and found.bus not in (None, rule.bus_id):
            asked.wrong(
                "/seq",
                _("Event %(seq)s is not on the bus that “%(rule)s” listens to.")
                % {"seq": found.seq, "rule": rule.name},
            )
        asked.check()
        assert pattern is not None
        assert found is not None
        explanation = explain(pattern, found.event)
        answer: dict[str, Any] = {
            "matched": explanation.matched,
            "failed": condition(explanation.failed) if explanation.failed else None,
            "conditions": [condition(one) for one in explanation.conditions],
        }
        if rule is not None:
            answer["rule"] = {
                "id": rule.pk,
                "name": rule.name,
                "revision": rule.revision,
                "listening": rule.enabled,
            }
        return Response(answer)


def condition(one: Condition) -> dict[str, Any]:
    """A condition as JSON; without `seen` when the event has nothing there."""
    seen = {} if one.seen is ABSENT else {"seen": one.seen}
    return {
        "path": one.path,
        "operator": one.operator,
        "wanted": one.wanted,
        **seen,
        "ok": one.ok,
        "sentence": one.sentence,
    }


def _tried(tried: TriedEvent, pattern: dict[str, Any], matched: bool) -> dict[str, Any]:
    line: dict[str, Any] = {"id": tried.event.attributes.get("id"), "matched": matched}
    if tried.seq is not None:
        line["seq"] = tried.seq
    if not matched:
        failed = explain(pattern, tried.event).failed
        line["failed"] = condition(failed) if failed else None
    return line


def _rule(asked: Asked) -> Rule | None:
    pk = asked.number("rule", 2**63 - 1)
    rule = Rule.objects.filter(pk=pk).first() if pk else None
    if rule is None:
        if pk:
            asked.wrong("/rule", _("There is no rule %(id)s.") % {"id": pk})
        return None
    check_bus(asked.request, rule.bus_id)
    return rule
