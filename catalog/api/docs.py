"""The API's own documentation: its OpenAPI document as a page, with nothing from elsewhere."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.access import needs
from catalog.api.describing import document
from catalog.snippets import Snippets

LEVELS = 4
# What stands in for the parts of an address in a curl line, by how the address begins.
STAND_INS = (
    ("/api/v1/event-types/", {"name": "order.placed", "number": "1"}),
    ("/api/v1/buses/", {"name": "main"}),
    ("/api/v1/sources/", {"slug": "shop"}),
    ("/api/v1/teams/", {"slug": "checkout"}),
    ("/api/v1/members/", {"name": "lena"}),
    ("/api/v1/domains/", {"slug": "orders"}),
    ("/api/v1/", {"id": "1"}),
)
METHODS = ("get", "post", "put", "patch", "delete")


class Row(NamedTuple):
    """A member of a schema, `depth` levels below its top."""

    name: str
    depth: int
    kind: str
    needed: bool
    says: str


class Answer(NamedTuple):
    """An answer by status, with its members and an example as JSON text, each possibly empty."""

    status: str
    says: str
    rows: list[Row]
    example: str


class Parameter(NamedTuple):
    """A part of the address, a parameter or a header."""

    name: str
    where: str
    kind: str
    needed: bool
    says: str


@dataclass(frozen=True)
class Told:
    """An operation as the page shows it. `people`: it needs a session, a token is not enough."""

    id: str
    method: str
    path: str
    summary: str
    says: str
    people: bool
    parameters: list[Parameter]
    asks: list[Row]
    answers: list[Answer]
    refusals: list[Answer]
    curl: str


@needs("catalog.view_eventtype")
@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Every operation, by tag, after the one that is none of this API: publishing. `?open=` names the unfolded one."""
    whole = document()
    base = request.build_absolute_uri("/").rstrip("/")
    tags: dict[str, list[Told]] = {}
    for path, operations in whole["paths"].items():
        for method in METHODS:
            if operation := operations.get(method):
                tags.setdefault(operation["tags"][0], []).append(_told(whole, base, path, method, operation))
    publishing = replace(Snippets.of(request, None, None), token=True)
    context = {
        "tags": list(tags.items()),
        "open": request.GET.get("open", ""),
        "base": f"{base}/api/v1",
        "publish": publishing.curl(),
    }
    return render(request, "catalog/api_docs.html", context)


def _told(whole: dict[str, Any], base: str, path: str, method: str, operation: dict[str, Any]) -> Told:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    people = {"token": []} not in operation["security"]
    answers = [_answer(whole, status, one) for status, one in operation["responses"].items()]
    return Told(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        says=operation["description"],
        people=people,
        parameters=[_parameter(one) for one in operation.get("parameters", [])],
        asks=list(_rows(whole, body["schema"])) if body else [],
        answers=[one for one in answers if one.status < "300"],
        refusals=[one for one in answers if one.status >= "300"],
        curl=_curl(base, path, method, _example(body), people),
    )


def _parameter(one: dict[str, Any]) -> Parameter:
    where = {"path": _("address"), "query": _("parameter"), "header": _("header")}[one["in"]]
    kind = _kind({}, one["schema"])
    return Parameter(one["name"], where, kind, bool(one.get("required")), one.get("description", ""))


def _answer(whole: dict[str, Any], status: str, one: dict[str, Any]) -> Answer:
    media: dict[str, Any] = next(iter(one.get("content", {}).values()), {})
    example = _example(media)
    text = "" if example is None else json.dumps(example, indent=2, ensure_ascii=False)
    rows = list(_rows(whole, media["schema"])) if media and status < "300" else []
    return Answer(status, one.get("description", ""), rows, text)


def _example(media: dict[str, Any]) -> Any:
    return next((one["value"] for one in media.get("examples", {}).values()), None)


def _rows(whole: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Iterator[Row]:
    """The members of a schema and of what is within them, each thing once."""
    schema = _plain(whole, schema)
    needed = schema.get("required", [])
    for name, member in schema.get("properties", {}).items():
        inner = _plain(whole, member)
        says = member.get("description", "") or inner.get("description", "") or inner.get("title", "")
        yield Row(name, depth, _kind(whole, member), name in needed, says)
        below = _plain(whole, inner.get("items", inner))
        if depth + 1 < LEVELS and below.get("properties"):
            yield from _rows(whole, below, depth + 1)


def _plain(whole: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` without the reference or the alternatives around it: the first alternative tells the members."""
    if "$ref" in schema:
        found: dict[str, Any] = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    if "anyOf" in schema:
        return _plain(whole, schema["anyOf"][0])
    return schema


def _kind(whole: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a value is, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return _(" or ").join(_kind(whole, one) for one in schema["anyOf"])
    if "enum" in schema:
        return _(" or ").join("null" if one is None else str(one) for one in schema["enum"])
    kind = schema.get("type", _("any JSON"))
    words = kind if isinstance(kind, list) else [kind]
    if "array" in words and (inner := schema.get("items")):
        return _("list of %(kind)s") % {"kind": _kind(whole, inner)}
    if "format" in schema:
        words = [f"{words[0]} ({schema['format']})", *words[1:]]
    return _(" or ").join(words)


def _curl(base: str, path: str, method: str, body: Any, people: bool) -> str:
    stands = next(names for start, names in STAND_INS if path.startswith(start))
    for name, value in stands.items():
        path = path.replace(f"{{{name}}}", value)
    lines = [f"curl {base}{path}" if method == "get" else f"curl -X {method.upper()} {base}{path}"]
    if people:
        cookies = f"{settings.SESSION_COOKIE_NAME}=$SESSION; {settings.CSRF_COOKIE_NAME}=$CSRF"
        lines += [f'-b "{cookies}"', '-H "X-CSRFToken: $CSRF"']
        if base.startswith("https:"):
            lines.append(f"-H {shlex.quote(f'Origin: {base}')}")  # Django asks where it comes from.
    else:
        lines.append('-H "Authorization: Bearer $SIGNALBOX_TOKEN"')
    if body is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append("-d " + shlex.quote(json.dumps(body, ensure_ascii=False)))
    return " \\\n  ".join(lines)
