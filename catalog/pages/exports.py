"""The catalog for other tools: whole documents, a source's own, and the page that offers them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_safe

from catalog.access import needs, token_of
from catalog.changes import PREFIX
from catalog.exports.asyncapi import asyncapi
from catalog.exports.backstage import backstage
from catalog.exports.description import Catalog
from catalog.exports.json_schema import bundle
from catalog.exports.openapi import openapi
from catalog.exports.reading import described
from catalog.exports.writing import Members, json_pieces, yaml_pieces
from catalog.exports.xregistry import xregistry
from catalog.models import EventType, SchemaVersion, Source

READS = "catalog.view_eventtype"
SCHEMA_TYPE = "application/schema+json"
OF_A_KIND = {
    "asyncapi": {
        "json": "application/vnd.aai.asyncapi+json;version=3.0.0",
        "yaml": "application/vnd.aai.asyncapi+yaml;version=3.0.0",
    },
    "openapi": {
        "json": "application/vnd.oai.openapi+json;version=3.1",
        "yaml": "application/vnd.oai.openapi;version=3.1",
    },
}


# ── documents ──


@needs(READS, tokens=True)
@require_safe
def whole_asyncapi(request: HttpRequest, form: str) -> HttpResponseBase:
    """AsyncAPI 3.0 of the whole catalog, `form` json or yaml."""
    return _document(
        request, asyncapi(_catalog(request)), form, OF_A_KIND["asyncapi"][form], f"asyncapi.{form}"
    )


@needs(READS, tokens=True)
@require_safe
def of_source(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    """AsyncAPI 3.0 of what one source emits."""
    sources = Source.objects.all()
    token = token_of(request)
    if token is not None and token.bus_id is not None:
        sources = sources.filter(bus=token.bus)
    catalog = described(_url(request), source=get_object_or_404(sources, slug=slug))
    document = asyncapi(catalog, catalog.sources[0])
    return _document(request, document, form, OF_A_KIND["asyncapi"][form], f"{slug}.asyncapi.{form}")


@needs(READS, tokens=True)
@require_safe
def whole_openapi(request: HttpRequest, form: str) -> HttpResponseBase:
    """OpenAPI 3.1 with webhooks: what a subscriber is sent."""
    return _document(request, openapi(_catalog(request)), form, OF_A_KIND["openapi"][form], f"openapi.{form}")


@needs(READS, tokens=True)
@require_safe
def whole_xregistry(request: HttpRequest) -> HttpResponseBase:
    """An xRegistry 1.0-rc4 document."""
    return _document(request, xregistry(_catalog(request)), "json", "application/json", "xregistry.json")


@needs(READS, tokens=True)
@require_safe
def whole_schemas(request: HttpRequest) -> HttpResponseBase:
    """All schemas as one compound JSON Schema document."""
    return _document(request, bundle(_catalog(request)), "json", SCHEMA_TYPE, "schemas.json")


@needs(READS, tokens=True)
@require_safe
def catalog_info(request: HttpRequest) -> HttpResponseBase:
    """Backstage's entities."""
    pieces = yaml_pieces(*backstage(_catalog(request)))
    return _streamed(request, pieces, "application/yaml", "catalog-info.yaml")


def _url(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _catalog(request: HttpRequest) -> Catalog:
    token = token_of(request)
    return described(_url(request), token.bus if token is not None else None)


def _document(request: HttpRequest, document: Members, form: str, kind: str, name: str) -> HttpResponseBase:
    pieces = json_pieces(document) if form == "json" else yaml_pieces(document)
    return _streamed(request, pieces, kind, name)


def _streamed(request: HttpRequest, pieces: Iterator[bytes], kind: str, name: str) -> HttpResponseBase:
    """The document piece by piece. `?download` asks the browser to save it as `name`."""
    content: Any = pieces
    if isinstance(request, ASGIRequest):
        content = _beside_the_loop(pieces)
    response = StreamingHttpResponse(content, content_type=kind)
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Authorization", "Cookie"])
    return response


async def _beside_the_loop(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Makes each piece in a thread: the loop takes events from publishers meanwhile."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


# ── the page that offers them ──


class Offer(NamedTuple):
    """One export: what it is called, what it is for, and its addresses by the form they are in."""

    key: str
    title: str
    purpose: str | Promise
    addresses: tuple[tuple[str, str], ...]


OFFERS = (
    Offer(
        "asyncapi",
        "AsyncAPI 3.0",
        _lazy(
            "Every promised event type as a message on the channel of its bus. For documentation portals, code "
            "generators and API linters. Each source has a document of its own, too."
        ),
        (("JSON", "export-asyncapi-json"), ("YAML", "export-asyncapi-yaml")),
    ),
    Offer(
        "openapi",
        "OpenAPI 3.1",
        _lazy(
            "What your endpoint is sent, as webhooks. For whoever subscribes with an HTTP service and generates its "
            "models or a mock from OpenAPI."
        ),
        (("JSON", "export-openapi-json"), ("YAML", "export-openapi-yaml")),
    ),
    Offer(
        "schemas",
        "JSON Schema",
        _lazy(
            "Every published version of every schema in one file, each under its address. For validators that must "
            "work without a network: they resolve any dataschema inside it."
        ),
        (("JSON", "export-schemas"),),
    ),
    Offer(
        "xregistry",
        "xRegistry 1.0-rc4",
        _lazy(
            "Schemas with all versions, messages and endpoints, as a CloudEvents registry. For moving the catalog "
            "into another registry, or keeping a copy."
        ),
        (("JSON", "export-xregistry"),),
    ),
    Offer(
        "backstage",
        "Backstage",
        _lazy(
            "catalog-info.yaml with a Group for each team, a Domain for each shelf and an API for each source. For a "
            "developer portal."
        ),
        (("YAML", "export-backstage"),),
    ),
)


@needs(READS)
@require_safe
def exports(request: HttpRequest) -> HttpResponse:
    """What there is, what each is for, and where."""
    page = Paginator(Source.objects.filter(retired_at=None).order_by("name"), 50).get_page(
        request.GET.get("page")
    )
    offers = [
        (offer, [(form, request.build_absolute_uri(reverse(url))) for form, url in offer.addresses])
        for offer in OFFERS
    ]
    versions = SchemaVersion.objects.select_related("event_type").order_by("-id")
    example = versions.exclude(event_type__name__startswith=PREFIX).first() or versions.first()
    schema = reverse("schema-version", args=(example.event_type.name, example.number)) if example else ""
    context = {
        "offers": offers,
        "page": page,
        "any_types": EventType.objects.exists(),
        "schema_url": request.build_absolute_uri(schema) if schema else "",
        "public": settings.PUBLIC_SCHEMAS,
        "curl": f'curl -H "Authorization: Bearer $SIGNALBOX_TOKEN" {offers[0][1][0][1]}',
    }
    return render(request, "catalog/exports.html", context)
