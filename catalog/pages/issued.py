"""A new token on its way to the one page that shows it, once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from catalog.models import Token

ISSUED, SECONDS = "issued-token", 60


def carrying(request: HttpRequest, answer: HttpResponse, token: Token, text: str, path: str) -> HttpResponse:
    """`answer` with the token's text for the page at `path`, so that reloading that page makes no second one.

    In a cookie of that page alone which it takes away: the database and the session must not hold what it says.
    """
    answer.set_signed_cookie(
        ISSUED, f"{token.pk} {text}", max_age=SECONDS, path=path,
        secure=request.is_secure(), httponly=True, samesite="Strict",
    )  # fmt: skip
    return answer


def carried(request: HttpRequest) -> tuple[Token | None, str]:
    """The token that this page is to show and its text; None and "" when there is none."""
    written = (
        request.get_signed_cookie(ISSUED, default="", max_age=SECONDS) if request.method == "GET" else ""
    )
    pk, _space, text = (written or "").partition(" ")
    issued = Token.objects.select_related("bus").filter(pk=pk, revoked_at=None).first() if pk else None
    return issued, text


def taken(request: HttpRequest, answer: HttpResponse, path: str) -> HttpResponse:
    """`answer`, after which the token is shown no more."""
    if ISSUED in request.COOKIES and request.method == "GET":
        answer.delete_cookie(ISSUED, path=path, samesite="Strict")
    return answer
