"""Calls of the API, whose answers are held to what its own description says of them."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

from jsonschema import Draft202012Validator

BASE = "/api/v1"


def described_at(url, method):
    """The description of the operation that answers `method` at `url`, and the document it is part of."""
    from catalog.api.describing import document

    whole = document()
    path = unquote(url.split("?")[0])
    found = [
        template
        for template, operations in whole["paths"].items()
        if method.lower() in operations and re.fullmatch(re.sub(r"\{\w+\}", ".+", template), path)
    ]
    assert found, f"{method} {path} is not described"
    return whole["paths"][max(found, key=lambda one: (one.count("/"), -one.count("{")))][
        method.lower()
    ], whole


def call(client, method, url, body=None, status=200, **headers):
    """The answer, decoded. Its status is `status`, and it is as the description says."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    kind = {} if text is None else {"data": text, "content_type": "application/json"}
    response = getattr(client, method.lower())(BASE + url, headers=headers, **kind)
    assert response.status_code == status, response.content.decode()
    operation, whole = described_at(BASE + url, method)
    if status == 304:
        return None
    told = operation["responses"][str(status)].get("content")
    if told is None:
        assert response.content == b""
        return None
    kind = response.headers["Content-Type"].split(";")[0]
    assert kind == ("application/json" if status < 300 else "application/problem+json")
    assert kind in told
    answer = json.loads(response.content)
    held_to(told[kind]["schema"], answer, whole)
    return answer


def held_to(schema, answer, whole):
    """Asserts that `answer` is as `schema` of the document `whole` says."""
    wrong = list(Draft202012Validator({**schema, "components": whole["components"]}).iter_errors(answer))
    assert not wrong, "\n".join(f"{one.json_path}: {one.message}" for one in wrong)
