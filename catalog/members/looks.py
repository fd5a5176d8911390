"""The language and theme a person chose: kept with them, and in cookies, by which every page is rendered."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from catalog.models import Profile

YEAR = 365 * 24 * 3600


def remember(answer: HttpResponseBase, language: str, theme: str) -> Any:
    """`answer`, with which the browser keeps both; "" forgets one."""
    name = settings.LANGUAGE_COOKIE_NAME
    if language:
        answer.set_cookie(
            name, language, max_age=settings.LANGUAGE_COOKIE_AGE, path=settings.LANGUAGE_COOKIE_PATH,
            secure=settings.LANGUAGE_COOKIE_SECURE, httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )  # fmt: skip
    else:
        answer.delete_cookie(name, path=settings.LANGUAGE_COOKIE_PATH, samesite="Lax")
    if theme:
        # The page's own switch writes it, too, so it is no HttpOnly one.
        answer.set_cookie("theme", theme, max_age=YEAR, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax")
    else:
        answer.delete_cookie("theme", samesite="Lax")
    return answer


def start_with(request: HttpRequest, answer: HttpResponseBase, user: Any) -> HttpResponseBase:
    """`answer` to signing in: a browser without choices of its own takes those of the person."""
    kept = Profile.of(user)
    language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or kept.language
    theme = request.COOKIES.get("theme") or kept.theme
    if (kept.language or kept.theme) and (language or theme):
        remember(answer, language, theme)
    return answer
