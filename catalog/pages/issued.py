"""A new secret, such as a token, on its way to the one page that shows it, once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from catalog.models import Token

ISSUED, SECONDS = "issued-token", 60


def carrying(request: HttpRequest, answer: HttpResponse, token: Token, text: str, path: str) -> HttpResponse:
    """`answer` with the token's text for the page at `path`, so that reloading that page makes no second one.

    In a cookie of that page alone which it takes away: the database and the session must not hold what it says.
    """
    return carry(request, answer, ISSUED, f"{token.pk} {text}", path)


def carry(request: HttpRequest, answer: HttpResponse, name: str, text: str, path: str) -> HttpResponse:
    """`answer` with `text` under `name` for the page at `path`, in the same way."""
    answer.set_signed_cookie(
        name, text, max_age=SECONDS, path=path, secure=request.is_secure(), httponly=True, samesite="Strict"
    )
    return answer


def text_of(request: HttpRequest, name: str) -> str:
    """What is carried under `name` to the page that is asked for; "" when nothing is."""
    if request.method != "GET":
        return ""
    return str(request.get_signed_cookie(name, default="", max_age=SECONDS) or "")


def carried(request: HttpRequest) -> tuple[Token | None, str]:
    """The token that this page is to show and its text; None and "" when there is none."""
    pk, _space, text = text_of(request, ISSUED).partition(" ")
    issued = Token.objects.select_related("bus").filter(pk=pk, revoked_at=None).first() if pk else None
    return issued, text


def taken(request: HttpRequest, answer: HttpResponse, path: str, name: str = ISSUED) -> HttpResponse:
    """`answer`, after which what was carried under `name` is shown no more."""
    if name in request.COOKIES and request.method == "GET":
        answer.delete_cookie(name, path=path, samesite="Strict")
    return answer
