"""`schemas:check` and `compatibility:check`: what the forms would say. Nothing is saved."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import comparing
from catalog.api import shapes
from catalog.api.asking import Members, pointer
from catalog.api.describing import described
from catalog.api.event_types import SCHEMA, found_type
from catalog.api.operation import READS, Operation, parameters
from catalog.api.versions import NEXT, VERDICT
from catalog.schemas.authoring import check_example, check_schema
from catalog.schemas.compatibility import Mode, Policy
from catalog.schemas.text import NotJson, parse
from catalog.type_comparing import compared_with_type

TAG = "Checks"
ANY = {"description": "Any JSON, as it is, or its text in a string. Lines of mistakes count within it."}
BROKEN = {
    "valid": False,
    "kind": "JSON Schema",
    "version": "",
    "title": "",
    "mistakes": [
        {
            "detail": "This is no JSON type. Use string, number, integer, boolean, object, array or null, or a list of "
            "them. (JSON Schema draft 2020-12)",
            "pointer": "/properties/order_id/type",
            "line": 1,
        }
    ],
    "notes": [],
    "candidates": [],
}


class CheckSchema(Operation):
    """POST schemas:check."""

    needs = READS

    @described(
        "checkSchema",
        "Check a schema or a document",
        "`schema`, with examples of it, as the register form checks them; or `document`: an example event, JSON Schema, "
        "OpenAPI 3, AsyncAPI, AWS discovered schemas, GitHub webhook schemas or xRegistry, with the event types it "
        "describes. A document of YAML is sent as a string. What is wrong is told in the answer, whose status is 200.",
        tag=TAG,
        asks={
            "type": "object",
            "properties": {
                "schema": ANY,
                "example": {**ANY, "title": "Example"},
                "examples": {"type": "array", "items": ANY},
                "document": {**ANY, "title": "Document"},
            },
            "additionalProperties": False,
        },
        example={"schema": {"type": "object", "properties": {"order_id": {"type": "strin"}}}},
        answers={200: (shapes.ref("SchemaCheck"), "What it is, and what is wrong with it.")},
        answer=BROKEN,
    )
    def post(self, request: Request) -> Response:
        """`schema` with `example` and `examples`, or `document`."""
        parameters(request)
        asked = Members(request, ("schema", "example", "examples", "document"))
        which = asked.only_one("schema", "document")
        if which == "document":
            for name in ("example", "examples"):
                if name in asked:
                    asked.wrong(pointer(name), _("Examples belong to a “schema”; a document has its own."))
        rows = _texts(asked) if which == "schema" else []
        asked.check()
        if which == "document":
            return Response(comparing.document_check(asked.document("document")))
        return Response(comparing.schema_check(asked.document("schema"), rows))


def _texts(asked: Members) -> list[tuple[str, str]]:
    """The examples that were sent, with the place of each."""
    rows = [("/example", asked.document("example"))] if "example" in asked else []
    if "examples" in asked:
        rows += [
            (pointer("examples", at), text)
            for at, text in enumerate(asked.documents("examples", comparing.EXAMPLES))
        ]
    return rows


class CheckCompatibility(Operation):
    """POST compatibility:check."""

    needs = READS

    @described(
        "checkCompatibility",
        "Ask whether a schema may replace another",
        "`old` and `new`, two schemas; or `event_type` and `new`: the schema against the type's versions, by what the "
        "type promises unless `mode` and `policy` say otherwise. Every break has an example of data that shows it. "
        "`undecided` means that neither was proved; read the places it names.",
        tag=TAG,
        asks={
            "type": "object",
            "properties": {
                "event_type": shapes.text("The name of an event type."),
                "old": ANY,
                "new": ANY,
                "mode": shapes.one_of(Mode, "The type's own without it; forward for two schemas."),
                "policy": shapes.one_of(Policy, "The type's own without it; evolution for two schemas."),
                "accept_cautions": shapes.flag("The type's own without it; false for two schemas."),
                "examples": {
                    "type": "array",
                    "items": ANY,
                    "description": "Data of either schema: counterexamples are made to look like it.",
                },
            },
            "required": ["new"],
            "additionalProperties": False,
        },
        example={"old": SCHEMA, "new": NEXT, "mode": "forward"},
        answers={200: (shapes.ref("Comparison"), "The verdict, and what changed.")},
        answer=VERDICT
        | {
            "against": [],
            "changes": [
                {
                    "kind": "added",
                    "path": "data.gift",
                    "before": None,
                    "after": {"type": "boolean"},
                    "message": "Optional field data.gift was added.",
                    "effect_on_readers": "safe",
                    "effect_on_writers": "safe",
                }
            ],
        },
        refuses=[404],
    )
    def post(self, request: Request) -> Response:
        """`event_type` or `old`, with `new`."""
        parameters(request)
        asked = Members(
            request, ("event_type", "old", "new", "mode", "policy", "accept_cautions", "examples")
        )
        which = asked.only_one("event_type", "old")
        new = _schema(asked, "new")
        old = _schema(asked, "old") if which == "old" else ""
        texts = asked.documents("examples", comparing.EXAMPLES) if "examples" in asked else []
        examples = _values(asked, texts)
        found = None
        named = asked.text("event_type")
        if which == "event_type" and not asked.problems:
            found = found_type(request, named)
        mode = Mode(asked.choice("mode", Mode, found.compatibility if found else Mode.FORWARD))
        policy = Policy(asked.choice("policy", Policy, found.policy if found else Policy.EVOLUTION))
        cautions = asked.flag("accept_cautions", found.accept_cautions if found else False)
        asked.check()
        if found is None:
            return Response(comparing.compared(old, new, mode, policy, examples, cautions))
        return Response(compared_with_type(found, new, texts, mode, policy, cautions))


def _schema(asked: Members, name: str) -> str:
    """The text of a schema that was sent; notes what is wrong with it."""
    if name not in asked:
        asked.wrong(pointer(name), _("Send the schema as “%(name)s”.") % {"name": name})
        return ""
    text = asked.document(name)
    for one in check_schema(text):
        asked.wrong(pointer(name) + (one.pointer or ""), one.message, one.line, one.column)
    return text


def _values(asked: Members, texts: list[str]) -> list[Any]:
    values = []
    for at, text in enumerate(texts):
        try:
            values.append(parse(text))
        except NotJson:
            for one in check_example("{}", text):
                asked.wrong(pointer("examples", at), one.message, one.line, one.column)
    return values
