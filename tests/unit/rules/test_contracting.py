"""A template that is written for a contract makes nothing up."""

from __future__ import annotations

import json

from rules.contracting import Contracting, template_for
from rules.fields import Field

SCHEMA = {
    "type": "object",
    "required": ["ref", "owner", "kind", "ship"],
    "properties": {
        "ref": {"type": "string"},
        "owner": {"type": "string"},
        "note": {"type": "string"},
        "kind": {"enum": ["order"]},
        "nothing": {"enum": [None]},
        "ship": {"type": "object", "required": ["city", "zip"], "properties": {
            "city": {"type": "string"}, "zip": {"type": "string"}}},
    },
}  # fmt: skip
HAVE = [Field("data.ref", "data.ref", "string", ""), Field("data.ship.city", "data.ship.city", "string", "")]


def test_what_nothing_is_called_like_is_left_out_and_named_and_never_null() -> None:
    fields = Contracting(json.dumps(SCHEMA)).checked().fields
    filled = template_for(fields, HAVE)
    assert json.loads(filled.text) == {
        "ref": "${data.ref}",
        "kind": "order",
        "ship": {"city": "${data.ship.city}"},
    }
    assert "null" not in filled.text
    assert sorted(filled.left_out) == ["owner", "ship.zip"]
