"""Who acts: while a request that may change something is answered, whose it is. Workers act for nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass
class Deed:
    """A request that may change something. `person`: the user name of who acts, where no session says it."""

    request: HttpRequest
    person: str = ""

    @property
    def by(self) -> str:
        """The user name of who acts; "" when nobody is known. Read late: the API finds out who asks while it answers."""
        user: Any = getattr(self.request, "user", None)
        if self.person or user is None or not user.is_authenticated:
            return self.person
        return str(user.get_username()) if hasattr(user, "get_username") else f"token {user.token.public_id}"

    @property
    def via(self) -> str:
        """console or api."""
        return "api" if self.request.path_info.startswith("/api/") else "console"

    @property
    def address(self) -> str:
        """Where the request came from."""
        return str(self.request.META.get("REMOTE_ADDR") or "")[:45]


_deed: ContextVar[Deed | None] = ContextVar("deed", default=None)


def current() -> Deed | None:
    """The request under way, None where nobody acts: in workers, in commands, in pages that are only read."""
    return _deed.get()


class Acting:
    """Middleware: remembers the request while it is answered. It comes after the one that knows the session's user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in READS:
            return self.get_response(request)
        token = _deed.set(Deed(request))
        try:
            return self.get_response(request)
        finally:
            _deed.reset(token)
