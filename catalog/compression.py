"""What a browser loads comes compressed: pages as they are made, static files once, kept in the var folder."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]  # ships none
from whitenoise.responders import StaticFile  # type: ignore[import-untyped]

WORTHWHILE = (".css", ".js", ".svg", ".ttf")


class CompressedPages(GZipMiddleware):
    """Middleware: pages and their parts, with gzip.

    Only those: a compressed answer has a weak ETag, and whoever changes a document through the API sends its ETag back
    as it was. Django adds some random bytes, so that a length tells nothing of what a page holds.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class CompressedFiles(WhiteNoiseMiddleware):
    """Middleware: static files, with gzip also where nobody ran collectstatic.

    A file is compressed when it is first asked for: most that packages bring never are, and a start waits for none.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        self._plain: dict[str, str] = {}
        self._folder = Path(settings.VAR) / "compressed"
        super().__init__(*given, **named)

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        super().add_file_to_dictionary(url, path, stat_cache)
        if path.endswith(WORTHWHILE) and not os.path.exists(f"{path}.gz"):
            self._plain[url] = path

    def __call__(self, request: HttpRequest) -> Any:
        # Of two who ask at once, the second gets it as it is.
        if path := self._plain.pop(request.path_info, ""):
            self.files[request.path_info] = self._compressed(path, request.path_info)
        return super().__call__(request)

    def _compressed(self, path: str, url: str) -> StaticFile:
        headers = Headers([("Access-Control-Allow-Origin", "*")])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        return StaticFile(path, headers.items(), encodings={"gzip": str(self._kept(Path(path)))})

    def _kept(self, path: Path) -> Path:
        """The compressed `path`, made when there is none of its content."""
        content = path.read_bytes()
        kept = self._folder / f"{hashlib.sha256(content).hexdigest()[:32]}.gz"
        if not kept.exists():
            self._folder.mkdir(exist_ok=True)
            fresh = kept.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(gzip.compress(content, 9, mtime=0))
            fresh.replace(kept)
        return kept
