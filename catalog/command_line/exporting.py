"""The catalog as documents for other tools."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.command_line.ending import NotAsked
from catalog.exports.asyncapi import asyncapi
from catalog.exports.backstage import backstage
from catalog.exports.json_schema import bundle
from catalog.exports.openapi import openapi
from catalog.exports.reading import described
from catalog.exports.writing import json_pieces, yaml_pieces
from catalog.exports.xregistry import xregistry
from catalog.models import Source

KINDS = ("asyncapi", "openapi", "xregistry", "schemas", "backstage")
AS_YAML = ("asyncapi", "openapi")


def exported(kind: str, as_yaml: bool, source: str | None, url: str) -> Iterable[bytes]:
    """The document of `kind`, in pieces of UTF-8 text. `url`: where Signalbox is reached. Raises NotAsked."""
    if as_yaml and kind not in (*AS_YAML, "backstage"):
        raise NotAsked(_("Only %(kinds)s are written as YAML.") % {"kinds": ", ".join(AS_YAML)})
    if source is not None and kind != "asyncapi":
        raise NotAsked(_("--source is for asyncapi."))
    row = None
    if source is not None:
        row = Source.objects.filter(slug=source).first()
        if row is None:
            raise NotAsked(_("There is no source “%(slug)s”.") % {"slug": source})
    catalog = described(url or f"http://{settings.HOST}:{settings.PORT}", source=row)
    if kind == "backstage":
        return yaml_pieces(*backstage(catalog))
    document = {
        "asyncapi": lambda: asyncapi(catalog, catalog.sources[0]) if row is not None else asyncapi(catalog),
        "openapi": lambda: openapi(catalog),
        "xregistry": lambda: xregistry(catalog),
        "schemas": lambda: bundle(catalog),
    }[kind]()
    return yaml_pieces(document) if as_yaml else json_pieces(document)
