"""Asking a Signalbox elsewhere, over its API."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.utils.translation import gettext as _

from catalog.command_line.ending import NotAsked

SECONDS = 30.0
MOST = 32 * 1024 * 1024  # bytes of an answer


class Refused(Exception):
    """The other Signalbox found mistakes in what was sent: `errors` as its problem document has them."""

    def __init__(self, detail: str, errors: list[dict[str, Any]]) -> None:
        super().__init__(detail)
        self.errors = errors


class _StaysHere(HTTPRedirectHandler):
    """Follows nothing: a token is meant for the address it was given for."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Remote:
    """The Signalbox at `url`, asked with `token`."""

    def __init__(self, url: str, token: str) -> None:
        """Raises NotAsked when the address or the token cannot be one."""
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise NotAsked(_("--url begins with http:// or https://, as in https://signalbox.example.com."))
        if not token:
            raise NotAsked(
                _("A token is missing: give --token, or put it into SIGNALBOX_TOKEN. Make one that may read.")
            )
        if not token.isascii() or not token.isprintable() or " " in token:
            raise NotAsked(_("This token is none: it reads sbx_… and has no spaces."))
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }

    def ask(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer of POST /api/v1/`operation`. Raises NotAsked, and Refused for what is wrong with the body."""
        address = f"{self.url}/api/v1/{operation}"
        request = Request(address, json.dumps(body).encode(), self._headers, method="POST")  # checked
        try:
            with build_opener(_StaysHere).open(request, timeout=SECONDS) as response:
                return _object(response.read(MOST), address)
        except HTTPError as error:
            with error:
                told = _object(error.read(MOST), address, error.code)
            if error.code == 422:
                raise Refused(str(told.get("detail", "")), list(told.get("errors", []))) from None
            raise NotAsked(f"{address}: {error.code}: {told.get('detail', error.reason)}") from None
        except (OSError, HTTPException, ValueError) as error:
            why = getattr(error, "reason", None) or error
            raise NotAsked(_("%(url)s cannot be reached: %(why)s") % {"url": address, "why": why}) from None


def _object(data: bytes, address: str, status: int = 200) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotAsked(
            _("%(url)s answered %(status)s and no JSON: is this the address of a Signalbox?")
            % {"url": address, "status": status}
        )
    return found
