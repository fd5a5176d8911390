"""How an operation is told in the OpenAPI document: its words, what it takes, what it answers, and examples of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import get_language
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from catalog import problems
from catalog.api.shapes import SHAPES, Schema, ref

Method = TypeVar("Method", bound=Callable[..., Any])

# What an operation refuses, by status: always told are 401 and 403.
REFUSALS = {
    400: "The request is no JSON object; `line` and `column` say where.",
    401: "No valid token or session.",
    403: "This token or role may not do this, or a session sent no CSRF token.",
    404: "There is nothing of this name, or this token may not see it.",
    409: "Something of this name is there already and differs; `errors` say in what.",
    412: "It was changed since the state that If-Match names.",
    422: "Something in the request is not valid; `errors` name every place.",
}
_ALWAYS = (401, 403)
_BODY = (400, 422)


def described(
    operation_id: str,
    summary: str,
    says: str,
    *,
    tag: str,
    answers: Mapping[int, tuple[Schema | None, str]],
    answer: Any = None,
    asks: Schema | None = None,
    example: Any = None,
    takes: Iterable[OpenApiParameter] = (),
    refuses: Iterable[int] = (),
    person: bool = False,
) -> Callable[[Method], Method]:
    """Tells of an operation. `example` is a request and `answer` what comes with the first of `answers`.

    `person`: a session may call it, a token may not.
    """
    told: dict[Any, Any] = {
        status: OpenApiResponse(schema, description=words)
        if schema is not None
        else OpenApiResponse(description=words)
        for status, (schema, words) in answers.items()
    }
    for status in sorted({*_ALWAYS, *(_BODY if asks is not None else ()), *refuses}):
        told[status, problems.CONTENT_TYPE] = OpenApiResponse(ref("Problem"), description=REFUSALS[status])
    examples = []
    if example is not None:
        examples.append(OpenApiExample("Request", value=example, request_only=True))
    if answer is not None:
        first = str(next(iter(answers)))
        examples.append(OpenApiExample("Answer", value=answer, response_only=True, status_codes=[first]))
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=says,
        tags=[tag],
        parameters=list(takes),
        request={"application/json": asks} if asks is not None else None,
        responses=told,
        examples=examples,
        auth=[{"session": []}] if person else None,  # type: ignore[list-item]  # it goes into the document as it is
    )


def query(name: str, says: str, *, choices: Iterable[str] = (), whole: bool = False) -> OpenApiParameter:
    """A parameter after the question mark."""
    kind = int if whole else str
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=says, enum=list(choices) or None)


def place(name: str, says: str, *, whole: bool = False) -> OpenApiParameter:
    """A part of the address."""
    kind = int if whole else str
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=says, required=True)


def header(name: str, says: str) -> OpenApiParameter:
    """A header of the request."""
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=says)


PAGED = (
    query("limit", "How many rows a page has, 1 to 200; 50 without it.", whole=True),
    query("cursor", "Where the page begins: taken from `next` of the page before."),
)
# What tells of people is for people alone: no token reads it.
ABOUT_PEOPLE = ("/api/v1/members", "/api/v1/audit")
DRY = query("dry_run", "1 checks everything and saves nothing.", choices=("0", "1"))
IF_MATCH = header("If-Match", "The ETag of the state you read: 412 when it was changed since.")
IF_NONE_MATCH = header("If-None-Match", "The ETag of the state you have: 304 when it is still that.")


class BearerScheme(OpenApiAuthenticationExtension):
    """Tokens in the document."""

    target_class = "catalog.api.access.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """How a token is sent."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token that may read (Settings, Tokens). It reads; it changes nothing.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    """Sessions in the document."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """How a session is sent."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "A person who signed in. What changes something needs the CSRF token in X-CSRFToken, too.",
        }


def without_shut(endpoints: list[Any]) -> list[Any]:
    """drf-spectacular's preprocessing: the operations of this API, without the one that answers for all others."""
    return [one for one in endpoints if one[0].startswith("/api/v1/") and "{rest}" not in one[0]]


def with_shapes(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing: the components that operations refer to, and what a session alone may do.

    A custom method (with a colon, as in schemas:check) changes nothing, so a token may call it.
    """
    result.setdefault("components", {}).setdefault("schemas", {}).update(SHAPES)
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if (method != "get" and ":" not in path) or path.startswith(ABOUT_PEOPLE):
                operation["security"] = [{"session": []}]
    return result


def document() -> dict[str, Any]:
    """The OpenAPI document of the whole API."""
    return _document(get_language() or "")


@lru_cache(maxsize=8)
def _document(language: str) -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found
