"""The words, schemas and examples of the operations, for the API's own description."""

from __future__ import annotations

from typing import Any

from catalog.api import shapes
from catalog.api.describing import described
from rules.api.reading import MAX_EVENTS

TAG = "Trying rules"
ANY: dict[str, Any] = {"description": "Any JSON."}
EVENT = {"type": "object", "description": "One event in CloudEvents JSON format; attributes may be missing."}
FILTER = {
    "pattern": {"type": ["object", "string"], "description": "A pattern, or its text."},
    "sql": shapes.text("A CloudEvents SQL expression."),
    "filters": {
        "type": ["array", "string"],
        "description": "Filters of the CloudEvents Subscriptions API, or their text.",
    },
}
SEQ = shapes.number("The number of a stored event.", minimum=1)
CONDITION = shapes.record(
    "A condition and how it went.",
    ("seen", "line", "column"),
    path=shapes.text(),
    operator=shapes.text(),
    wanted=ANY,
    seen={"description": "Left out when the event has nothing there."},
    ok=shapes.flag(),
    sentence=shapes.text(),
    pointer=shapes.text("Where it is written in the filter."),
    line=shapes.number(),
    column=shapes.number(),
)
MAYBE_CONDITION = {"anyOf": [CONDITION, {"type": "null"}]}
SEK = {
    "path": "data.currency",
    "operator": "exact",
    "wanted": "SEK",
    "seen": "EUR",
    "ok": False,
    "sentence": 'data.currency is "EUR", the rule wants "SEK"',
    "pointer": "/pattern/data/currency",
}
TRIED = {"id": "1", "type": "order.placed", "data": {"currency": "EUR"}}


def _asks(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "additionalProperties": False}


tests_pattern = described(
    "testPattern",
    "Try a filter on events",
    "Which events a filter takes, and of the first hundred that it does not take the condition that failed first. A "
    "filter has one or more of `pattern`, `sql` and `filters`; with it comes `event`, `events`, or `bus` and `last`.",
    tag=TAG,
    asks=_asks(
        **FILTER,
        event=EVENT,
        events={"type": "array", "items": EVENT, "minItems": 1, "maxItems": MAX_EVENTS},
        bus=shapes.text("The name of a bus, whose newest events are tried."),
        last=shapes.number("How many of them; 100 without it.", minimum=1, maximum=MAX_EVENTS),
    ),
    example={"pattern": {"data": {"currency": ["SEK"]}}, "event": TRIED},
    answers={
        200: (
            shapes.record(
                matched=shapes.number(),
                looked_at=shapes.number(),
                events=shapes.many(
                    shapes.record(
                        "",
                        ("seq", "failed"),
                        id={"description": "The event's id, null without one."},
                        matched=shapes.flag(),
                        seq=SEQ,
                        failed=MAYBE_CONDITION,
                    )
                ),
            ),
            "What the filter takes.",
        )
    },
    answer={"matched": 0, "looked_at": 1, "events": [{"id": "1", "matched": False, "failed": SEK}]},
)

explains_pattern = described(
    "explainPattern",
    "Explain a filter for one event",
    "Every condition of a filter or of `rule` for `event` or `seq`: what it wanted, what it saw, whether it held.",
    tag=TAG,
    asks=_asks(**FILTER, rule=shapes.number("A rule's number.", minimum=1), event=EVENT, seq=SEQ),
    example={"pattern": {"data": {"currency": ["SEK"]}}, "event": TRIED},
    answers={
        200: (
            shapes.record(
                "",
                ("rule",),
                matched=shapes.flag(),
                failed=MAYBE_CONDITION,
                conditions=shapes.many(CONDITION),
                choices=shapes.many(ANY),
                combinations=shapes.number(),
                rule=shapes.record(
                    id=shapes.number(),
                    name=shapes.text(),
                    revision=shapes.number(),
                    listening=shapes.flag(),
                ),
            ),
            "Every condition.",
        )
    },
    answer={"matched": False, "failed": SEK, "conditions": [SEK], "choices": [], "combinations": 1},
)

previews_transform = described(
    "previewTransform",
    "See what a target would be sent",
    "`transform` as a target has it, with `event` or `seq`. A body that is no text comes as `body_base64`.",
    tag=TAG,
    asks=_asks(
        transform={"type": "object", "description": "As docs/transforms.md tells."}, event=EVENT, seq=SEQ
    ),
    example={
        "transform": {"kind": "template", "template": '{"order": "${data.number}"}'},
        "event": {"id": "1", "type": "order.placed", "data": {"number": 88190}},
    },
    answers={
        200: (
            shapes.record(
                "",
                ("body", "body_base64"),
                content_type={"type": ["string", "null"]},
                whole=shapes.flag("Whether the target is sent the event itself."),
                problems=shapes.many(shapes.record(detail=shapes.text())),
                body={"type": ["string", "null"]},
                body_base64=shapes.text(),
            ),
            "The body, or what is wrong.",
        )
    },
    answer={"content_type": "application/json", "whole": False, "problems": [], "body": '{"order": 88190}'},
)

converts_transform = described(
    "convertTransform",
    "Convert a transform of another event bus",
    "`aws`: what an AWS EventBridge target has. `alibaba`: form, value and template. `notes` say where ours differs.",
    tag=TAG,
    asks=_asks(aws={"type": "object"}, alibaba={"type": "object"}),
    example={"aws": {"InputPath": "$.detail"}},
    answers={
        200: (
            shapes.record(transform={"type": "object"}, notes=shapes.many(shapes.text())),
            "The transform as one of ours.",
        )
    },
    answer={"transform": {"kind": "partial", "path": "$.data"}, "notes": []},
)
