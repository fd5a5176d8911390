"""Who is answered in which language: people as they chose or as their browser says, programs always in English."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from catalog.access import PUBLIC, needs, wants_page


class ConsoleLanguage(LocaleMiddleware):
    """Middleware: pages in the language of the cookie, else of the browser. What programs read does not change."""

    def process_request(self, request: HttpRequest) -> None:
        """The cookie first, then Accept-Language."""
        super().process_request(request)
        if request.path_info.startswith("/api/") and not wants_page(request):
            _in_english(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Operations of the API and documents that take a token are for programs, whoever asks."""
        if getattr(view, "cls", None) is not None or getattr(view, "tokens", False):
            _in_english(request)
        return None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Names the language, and leaves none behind for what the thread does next."""
        answered = super().process_response(request, response)
        translation.deactivate()
        return answered


def _in_english(request: HttpRequest) -> None:
    translation.activate(settings.LANGUAGE_CODE)
    request.LANGUAGE_CODE = settings.LANGUAGE_CODE


@needs(PUBLIC)
@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Keeps `language` in a cookie for a year and goes back to `next`, or to where the person came from."""
    return set_language(request)
