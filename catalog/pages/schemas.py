"""Each schema at an address that never changes, for the CloudEvents attribute `dataschema`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Case, F, Q, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date, quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog import problems
from catalog.access import is_open, needs, token_of, wants_page
from catalog.exports.reading import readable
from catalog.models import Lifecycle, SchemaVersion

READS = "catalog.view_eventtype"
YEAR = 365 * 24 * 3600
SCHEMA_TYPE = "application/schema+json"


@needs(READS, tokens=True, opened_by="PUBLIC_SCHEMAS")
@require_safe
def schema_version(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The schema of one version as it was registered, under an address that serves as `dataschema`.

    Names may end with a slash and a number; where no type has that version, the newest of such a name is meant.
    """
    version = _versions(request, name).filter(number=number).first()
    if version is None:
        return _newest(request, f"{name}/{number}")
    return _schema(request, version, f"max-age={YEAR}, immutable")


@needs(READS, tokens=True, opened_by="PUBLIC_SCHEMAS")
@require_safe
def newest_schema(request: HttpRequest, name: str) -> HttpResponse:
    """The schema of the version that counts now: the chosen one, else the newest that is active or deprecated."""
    return _newest(request, name)


def _newest(request: HttpRequest, name: str) -> HttpResponse:
    versions = _versions(request, name).filter(
        Q(pk=F("event_type__default_version")) | Q(lifecycle__in=(Lifecycle.ACTIVE, Lifecycle.DEPRECATED))
    )
    # The same choice as catalog.exports.description.Type.current.
    rank = Case(
        When(pk=F("event_type__default_version"), then=0), When(lifecycle=Lifecycle.ACTIVE, then=1), default=2
    )
    found = versions.order_by(rank, "-number").first()
    if found is None:
        return _nothing(request, name)
    response = _schema(request, found, "no-cache")
    response["Content-Location"] = reverse("schema-version", args=(name, found.number))
    return response


def _versions(request: HttpRequest, name: str) -> QuerySet[SchemaVersion]:
    """The versions of the type called `name`, as far as whoever asks may read them."""
    token = token_of(request)
    types = readable(token.bus if token is not None else None).filter(name=name)
    versions = SchemaVersion.objects.filter(event_type__in=types.values("pk"))
    if is_open(_view(request)):
        # The same for everybody, signed in or not, so that one cache serves all.
        versions = versions.exclude(lifecycle=Lifecycle.DRAFT).exclude(event_type__lifecycle=Lifecycle.DRAFT)
    return versions.select_related("event_type__successor")


def _view(request: HttpRequest) -> Any:
    """The view that answers `request`."""
    return request.resolver_match.func if request.resolver_match else None


def _schema(request: HttpRequest, version: SchemaVersion, caching: str) -> HttpResponse:
    """`version` as registered, or 304. What is deprecated says so in its headers (RFC 9745, RFC 8594)."""
    content = version.schema.encode()
    response = HttpResponse(content, content_type=SCHEMA_TYPE)
    etag = quote_etag(version.digest or hashlib.sha256(content).hexdigest())
    open_to_all = is_open(_view(request))
    response["ETag"] = etag
    response["Cache-Control"] = f"{'public' if open_to_all else 'private'}, {caching}"
    if open_to_all:
        response["Access-Control-Allow-Origin"] = "*"
    else:
        patch_vary_headers(response, ["Authorization", "Cookie"])
    kind = version.event_type
    if kind.lifecycle in (Lifecycle.DEPRECATED, Lifecycle.RETIRED):
        if kind.deprecated_at is not None:
            response["Deprecation"] = f"@{int(kind.deprecated_at.timestamp())}"
        if kind.ends_on is not None:
            ends = datetime.combine(kind.ends_on, time.min, UTC)
            response["Sunset"] = http_date(ends.timestamp())
        if kind.successor is not None:
            response["Link"] = (
                f'<{reverse("newest-schema", args=(kind.successor.name,))}>; rel="successor-version"'
            )
    return get_conditional_response(request, etag=etag, response=response)  # type: ignore[return-value]


def _nothing(request: HttpRequest, name: str) -> HttpResponse:
    detail = _("No event type “%(name)s” with a schema is here, or this token is for another bus.") % {
        "name": name
    }
    if wants_page(request):
        raise Http404(detail)
    document = problems.document(404, "not-found", _("Not found"), detail)
    return JsonResponse(document, status=404, content_type=problems.CONTENT_TYPE)
