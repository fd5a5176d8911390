"""Documents to paste, and how they are."""

from __future__ import annotations

import json

THING = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
SCRIPT = {"HX-Request": "true"}


def openapi(*names, **schemas):
    """An OpenAPI document with a webhook for each name, each with the schema of that name or THING."""
    hooks = {
        name: {
            "post": {
                "summary": f"About {name}",
                "requestBody": {"content": {"application/json": {"schema": schemas.get(name, THING)}}},
            }
        }
        for name in names
    }
    return json.dumps(
        {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "paths": {}, "webhooks": hooks}
    )


def pasted(client, document, **fields):
    """The answer to a document in the box."""
    text = document if isinstance(document, str) else json.dumps(document, indent=1)
    return client.post("/events/new/paste/", {"document": text} | fields, headers=SCRIPT)


def value(response, name):
    return response.context["form"][name].value()
