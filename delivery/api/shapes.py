"""The JSON Schemas and examples of what these operations take and answer."""

from __future__ import annotations

from typing import Any

from catalog.api.shapes import Schema, flag, many, maybe, number, one_of, record, text

TIME = text("UTC, RFC 3339.", format="date-time")
LETTER_FIELDS: dict[str, Schema] = {
    "target": number("The target's id."),
    "target_name": text(),
    "seq": number("The event's number on the log."),
    "type": text(),
    "source": text(),
    "subject": maybe(text()),
    "event_id": text("The CloudEvents id."),
    "reason": text("Why the target finally did not take it."),
    "cause": text("The id of its cause: reasons that differ in identifiers and numbers only have one."),
    "status": maybe(number("What the target answered, when it answered.")),
    "attempts": number("Tries since it was last redriven."),
    "redriven": number("How often it was sent again by hand."),
    "first_tried_at": TIME,
}
LETTER = record("An event that a target finally did not take.", **LETTER_FIELDS)
_REQUEST = record(
    "A request, secrets hidden.",
    line=text("Method and address."),
    headers=many({"type": "array", "items": {"type": "string"}}, "Pairs of name and value."),
    body=text(),
    problem=text("Why it cannot be shown; empty when it is."),
)
WHOLE = record(
    "A dead letter with what was sent and answered.",
    **LETTER_FIELDS,
    event={
        "type": "object",
        "description": "The event; personal fields hidden from those who may not see them.",
    },
    sent=maybe(_REQUEST),
    now=_REQUEST,
    changed=many(text(), "What of it changed since it was sent."),
    answer=text("The first 4,096 bytes of the last answer."),
    waiting_behind=number("Later events of the same key that wait for this one."),
)
GROUP = record(
    "Dead letters of one target with one cause.",
    target=number(),
    target_name=text(),
    cause=text(),
    words=text("The reason without what differs from event to event."),
    example=text("The reason of the newest."),
    status=maybe(number()),
    size=number(),
    first_tried_at=TIME,
    last_tried_at=TIME,
)
GROUPS = record(items=many(GROUP))
JOB = record(
    "What was asked for dead letters.",
    id=number(),
    kind=one_of(("redrive", "discard")),
    reason=text("Why they are discarded."),
    by=text("Who asked."),
    asked_at=TIME,
    starts_at=TIME,
    total=number("How many were chosen, or at least that many."),
    exact=flag("Whether `total` is exact."),
    done=number("How many it has asked for so far."),
    ended_at=maybe(TIME),
    ended=maybe(one_of(("done", "cancelled"))),
)
WOULD = record(
    "What would be asked.",
    dry_run=flag(),
    total=number(),
    exact=flag("Whether `total` is exact."),
    earlier_left=number(
        "Earlier dead letters of the same keys that are not among them; counted for the first 500."
    ),
)
ASKED: Schema = {"anyOf": [JOB, WOULD]}
PAGE = record(items=many(LETTER), next=maybe(text("The address of the next page; null on the last one.")))
FILTER = {
    "type": "object",
    "description": "What is given must all hold; {} is every dead letter.",
    "properties": {
        "target": number("The target's id."),
        "rule": number("The rule's id."),
        "cause": text("The id of a cause."),
        "status": number(),
        "type": text("Of the event."),
        "subject": text("Of the event."),
        "text": text("Somewhere in the reason."),
        "since": TIME,
        "until": TIME,
    },
    "additionalProperties": False,
}
_CHOICE: dict[str, Schema] = {
    "filter": FILTER,
    "letters": many(record("One dead letter.", target=number(), seq=number()), "At most 500."),
}
REDRIVE = {
    "type": "object",
    "properties": {
        **_CHOICE,
        "out_of_order": flag("Send later events of a key although earlier dead letters of it are left out."),
    },
    "additionalProperties": False,
}
DISCARD = {
    "type": "object",
    "properties": {**_CHOICE, "reason": text("Why; kept with each of them.")},
    "required": ["reason"],
    "additionalProperties": False,
}

A_LETTER: dict[str, Any] = {
    "target": 7,
    "target_name": "Billing",
    "seq": 2920,
    "type": "order.placed",
    "source": "/shop",
    "subject": "order-88190",
    "event_id": "e-1",
    "reason": "It answers 422: invoice_ref is longer than 20 characters.",
    "cause": "5f2a90c1d3e4",
    "status": 422,
    "attempts": 1,
    "redriven": 0,
    "first_tried_at": "2026-03-01T09:30:00.000Z",
}
A_JOB: dict[str, Any] = {
    "id": 3,
    "kind": "redrive",
    "reason": "",
    "by": "mara",
    "asked_at": "2026-03-01T09:30:00.000Z",
    "starts_at": "2026-03-01T09:30:00.000Z",
    "total": 32,
    "exact": True,
    "done": 32,
    "ended_at": "2026-03-01T09:30:00.000Z",
    "ended": "done",
}
