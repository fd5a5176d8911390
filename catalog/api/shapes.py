"""The JSON Schemas of what the API answers: the components of its description. A test holds every answer to them."""

from __future__ import annotations

from typing import Any

from catalog.changes import KINDS
from catalog.models import Approval, AuditRecord, EventType, Lifecycle
from catalog.models.sources import Bus as BusRow
from catalog.roles import ROLES
from catalog.schemas.compatibility import Direction, Mode, Outcome, Policy
from catalog.schemas.difference import Effect

Schema = dict[str, Any]


def text(says: str = "", **more: Any) -> Schema:
    """A string; `says` describes it."""
    return {"type": "string", **({"description": says} if says else {}), **more}


def number(says: str = "", **more: Any) -> Schema:
    """A whole number."""
    return {"type": "integer", **({"description": says} if says else {}), **more}


def flag(says: str = "") -> Schema:
    """True or false."""
    return {"type": "boolean", **({"description": says} if says else {})}


def one_of(choices: Any, says: str = "") -> Schema:
    """One of some texts."""
    return text(says, enum=[str(one) for one in choices])


def many(items: Schema, says: str = "") -> Schema:
    """A list."""
    return {"type": "array", "items": items, **({"description": says} if says else {})}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def record(says: str = "", optional: tuple[str, ...] = (), /, **fields: Schema) -> Schema:
    """An object with exactly these members; all but the `optional` ones are always there."""
    return {
        "type": "object",
        **({"description": says} if says else {}),
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(name: str) -> Schema:
    """One page of a list."""
    return record(
        items=many(ref(name)),
        next=maybe(text("The address of the next page; null on the last one.")),
    )


_TIME = text("UTC, RFC 3339.", format="date-time")
_ANY: Schema = {"description": "Any JSON."}
_ERROR = record(
    "One thing wrong.",
    ("line", "column", "counterexample", "has_counterexample"),
    detail=text("What is wrong and what to do."),
    pointer=text('JSON pointer (RFC 6901) into the request; "" is the request itself.'),
    line=number("From 1, inside the text that the pointer leads to or lies in."),
    column=number("From 1."),
    counterexample={"description": "Data that shows a break of compatibility."},
    has_counterexample=flag("Whether there is one, for it may be null."),
)
_BREAK = record(
    "One place at which a reader refuses what a writer may send.",
    ("line",),
    direction=one_of(
        Direction, "backward: the new schema reads old events; forward: the old one reads new events."
    ),
    path=text("The place in the event, such as data.total.amount."),
    message=text("What breaks, in a sentence."),
    caution=flag("Values were added or a range loosened; an owner may accept that."),
    counterexample={
        "description": "A value of data that the writer's schema accepts and the reader's refuses."
    },
    has_counterexample=flag("Whether there is one, for it may be null."),
    against=maybe(number("The earlier version that breaks; null when two schemas were compared.")),
    reason=text("What the reader says about the counterexample."),
    pointer=text("JSON pointer into the reader's schema: the new one for backward, the old one for forward."),
    line=maybe(number("The line of the new schema that is nearest, from 1.")),
)
_UNDECIDED = record(
    "A place about which nothing was proved in either way.",
    direction=one_of(Direction),
    path=text(),
    why=text(),
    against=maybe(number()),
)
_VERDICT_FIELDS = {
    "outcome": one_of(Outcome),
    "mode": one_of(Mode),
    "policy": one_of(Policy),
    "against": many(number(), "The numbers of the versions it was compared with; empty for two schemas."),
    "accepted": flag("Whether it may be registered without an owner's reason."),
    "breaks": many(ref("Break")),
    "undecided": many(_UNDECIDED),
    "hints": many(text(), "Remarks for the author, such as a field that looks renamed."),
    "more": number("How many breaks and undecided places are left out."),
}
_MISTAKE = record(
    "",
    ("pointer", "line", "column"),
    detail=text("What is wrong and what to do."),
    pointer=text("JSON pointer into the text."),
    line=number("From 1."),
    column=number("From 1."),
)
_VERSION_FIELDS = {
    "number": number("From 1, in the order of registration."),
    "notes": text("What changed."),
    "origin": text("Where it was read from; empty when it was written."),
    "lifecycle": one_of(Lifecycle.values),
    "ends_on": maybe(text("The last day that was announced.", format="date")),
    "outcome": maybe(
        one_of(Outcome, "What the check said when it was registered; null for a first version.")
    ),
    "override": text("The owner's reason to register it all the same."),
    "digest": text("SHA-256 of its text."),
    "created_at": _TIME,
    "dataschema": text("Its own address, which never changes."),
}

SHAPES: dict[str, Schema] = {
    "Problem": {
        **record(
            "A problem document (RFC 9457).",
            ("errors", "verdict", "line", "column"),
            type=text(),
            title=text(),
            status=number(),
            detail=text("What is wrong and what to do."),
            errors=many(_ERROR, "Every place at fault."),
            verdict={"description": "The verdict, when a version was refused for it."},
            line=number("Where the request stops being JSON."),
            column=number(),
        )
    },
    "Team": record("People who own things together.", slug=text(), name=text()),
    "Member": record(
        "A person who may sign in, or once could.",
        name=text("The sign-in name; it stays."),
        full_name=text(),
        email=maybe(text("Null for whoever does not manage members.")),
        role=maybe(one_of(ROLES, "Null: no role, permissions one by one.")),
        teams=many(text(), "The slugs of their teams."),
        active=flag("False: switched off."),
        joined_at=_TIME,
        seen_at=maybe(_TIME),
    ),
    "AuditRecord": record(
        "One thing that somebody did.",
        id=number("Grows with time."),
        at=_TIME,
        by=maybe(text("The sign-in name of who did it; null when nobody is known.")),
        via=one_of(("console", "api")),
        address=maybe(text("Where the request came from.")),
        action=one_of(AuditRecord.Action.values, "What was done."),
        kind=text("The kind of object."),
        key=text("The object's name, slug or number."),
        name=text("How people called it then."),
        before={"type": "object", "description": "The fields that changed as they were, by name."},
        after={"type": "object", "description": "The same as they became; secrets are dots."},
        note=text("What else is known."),
    ),
    "Domain": record(
        "A shelf of the marketplace.",
        slug=text(),
        name=text(),
        badge=text("Two letters."),
        hue=number("Its colour, 0 to 11."),
        team=maybe(text("The slug of the team that keeps it.")),
    ),
    "Bus": record(
        "A named, ordered, durable log of events.",
        name=text(),
        description=text(),
        retention_days=number("Days that every event is kept."),
        limit_days=maybe(
            number("Days that one is kept at most for a target that waits. Null: twice as many.")
        ),
        unregistered=one_of(BusRow.Unregistered.values, "What happens to events of unregistered types."),
        open_publishing=flag("Whether one publishes without a token."),
        team=maybe(text()),
        created_at=_TIME,
        retired_at=maybe(_TIME),
        publish=text("Where events are sent."),
    ),
    "Source": record(
        "A system that emits events.",
        slug=text(),
        name=text(),
        uri=text("The CloudEvents source it sends."),
        prefix=text("How the names of its types begin."),
        description=text(),
        bus=text(),
        team=text(),
        created_at=_TIME,
        retired_at=maybe(_TIME),
        asyncapi=text("Its AsyncAPI document."),
    ),
    "EventType": record(
        "A kind of event.",
        name=text("The CloudEvents type."),
        summary=text("What happened, in one sentence."),
        docs=text("Markdown."),
        domain=text(),
        team=text(),
        sources=many(text()),
        tags=many(text()),
        personal=many(text(), "Paths of data that hold personal data."),
        validation=one_of(EventType.Validation.values, "What happens to events that do not fit."),
        compatibility=one_of(EventType.Compatibility.values, "What new versions promise."),
        policy=one_of(EventType.Policy.values),
        accept_cautions=flag(),
        lifecycle=one_of(Lifecycle.values),
        deprecated_at=maybe(_TIME),
        ends_on=maybe(text(format="date")),
        successor=maybe(text("The type to use instead.")),
        farewell=text("Why it ends, and what to do."),
        default_version=maybe(number("The version that counts for events that name none; null: the newest.")),
        versions=many(number(), "The numbers of its versions."),
        created_at=_TIME,
        links=record(self=text(), versions=text(), schema=text(), page=text()),
    ),
    "VersionSummary": record("A schema version, without its schema.", **_VERSION_FIELDS),
    "Version": record(
        "An immutable JSON Schema of data.",
        **_VERSION_FIELDS,
        schema=_ANY,
        example=_ANY,
        examples=many(record(name=text(), data=_ANY)),
        verdict={"description": "The whole verdict, null for a first version."},
    ),
    "Break": _BREAK,
    "Verdict": record("What the compatibility check says.", **_VERDICT_FIELDS),
    "Comparison": record(
        "A verdict, and what changed.",
        **_VERDICT_FIELDS,
        changes=many(
            record(
                kind=text(),
                path=text(),
                before=_ANY,
                after=_ANY,
                message=text(),
                effect_on_readers=one_of(Effect),
                effect_on_writers=one_of(Effect),
            )
        ),
    ),
    "DryRun": record(
        "What would have been saved.",
        dry_run=flag(),
        would=one_of(("register", "change", "nothing"), "What the same request without dry_run does."),
        number=maybe(number("The number of the version that would be registered; null when none would.")),
        verdict={
            "anyOf": [ref("Verdict"), {"type": "null"}],
            "description": "Null without an earlier version.",
        },
    ),
    "Mistake": _MISTAKE,
    "SchemaCheck": record(
        "What a document is, and what is wrong with it.",
        valid=flag("Whether nothing is wrong."),
        kind=text("What it was taken for; empty when nothing fits."),
        version=text(),
        title=text(),
        mistakes=many(ref("Mistake")),
        notes=many(text(), "What was assumed."),
        candidates=many(
            record(
                "An event type that it describes.",
                ("line",),
                name=text("A suggestion."),
                source=text(),
                summary=text(),
                pointer=text("Where it is written."),
                line=number(),
                schema={"description": "Its JSON Schema, null when there is none."},
                examples=many(_ANY),
                problems=many(ref("Mistake")),
            )
        ),
    ),
    "Draft": record(
        "A registration that is not finished.",
        id=number(),
        name=text(),
        event_type=maybe(text("The type whose next version it is; null for a new type.")),
        origin=text(),
        content={"type": "object", "description": "The form's fields by name, as they were typed."},
        created_at=_TIME,
        changed_at=_TIME,
        page=text("Where a person goes on with it."),
    ),
    "Wanted": record(
        "An event that people ask for.",
        id=number(),
        name=text(),
        why=text(),
        people=number(),
        teams=number(),
        mine=flag("Whether your voice is among them."),
        created_at=_TIME,
    ),
    "Approval": record(
        "A team's wish to receive the personal fields of an event type.",
        id=number(),
        event_type=text(),
        owner=text("The slug of the team that decides."),
        team=text("The slug of the team that asks."),
        reason=text("What for."),
        state=one_of(Approval.State.values),
        answer=text("What the owner said."),
        asked_by=maybe(text()),
        asked_at=_TIME,
        decided_by=maybe(text()),
        decided_at=maybe(_TIME),
    ),
    "Change": record(
        "One thing that changed in the catalog. What it is not about is null.",
        id=text("The id of its event on the bus system.", format="uuid"),
        kind=one_of(KINDS),
        at=_TIME,
        title=text("The change in one sentence."),
        event_type=maybe(text()),
        source=maybe(text()),
        bus=maybe(text()),
        team=maybe(text("The slug of the team that owns it.")),
        by=maybe(text("User name of who did it; null when Signalbox found it.")),
        detail={"type": "object", "description": "What else is known, as in data.detail of its event."},
        page=text("Where a person reads about it."),
    ),
}
