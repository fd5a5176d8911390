"""Backstage's `catalog-info.yaml`: a Group for each team, a Domain for each shelf, an API for each source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from catalog.exports.asyncapi import asyncapi
from catalog.exports.description import Catalog, Lifecycle, Source, Type
from catalog.exports.keys import keys
from catalog.exports.writing import told, yaml_pieces

VERSION = "backstage.io/v1alpha1"
NAME_LENGTH = 63
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
_NOT_IN_TAGS = re.compile(r"[^a-z0-9+#:]+")


def backstage(catalog: Catalog) -> Iterator[dict[str, Any]]:
    """The entities. An API holds its AsyncAPI document as text, so that Backstage need not be able to reach us.

    Domains that nobody keeps belong to the team with most types there; empty ones without a team are left out.
    """
    groups = _names([team.slug for team in catalog.teams])
    for team in catalog.teams:
        spec = {"type": "team", "profile": {"displayName": team.name}, "children": []}
        yield _entity("Group", {"name": groups[team.slug], "title": team.name}, spec)
    most: dict[str, Counter[str]] = {}
    for kind in catalog.types:
        most.setdefault(kind.domain, Counter())[kind.team] += 1
    domains = _names([domain.slug for domain in catalog.domains])
    for domain in catalog.domains:
        owner = domain.team
        if not owner and domain.slug in most:
            owner = min(most[domain.slug].items(), key=lambda item: (-item[1], item[0]))[0]
        if owner in groups:
            yield _entity(
                "Domain", {"name": domains[domain.slug], "title": domain.name}, {"owner": groups[owner]}
            )
    sources = _names([source.slug for source in catalog.sources])
    for source, part in catalog.by_source():
        yield _api(part, source, sources[source.slug], groups)


def tag(text: str) -> str:
    """`text` as Backstage allows a tag, empty when nothing of it is left."""
    return _NOT_IN_TAGS.sub("-", text.lower()).strip("-")[:NAME_LENGTH].strip("-")


def _names(slugs: Sequence[str]) -> dict[str, str]:
    return dict(zip(slugs, keys(slugs, _NOT_IN_NAMES, NAME_LENGTH, fold=True), strict=True))


def _entity(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _api(part: Catalog, source: Source, name: str, groups: dict[str, str]) -> dict[str, Any]:
    tags = {tag(text) for kind in part.types for text in (kind.domain, *kind.tags)} - {""}
    return _entity(
        "API",
        told(
            {
                "name": name,
                "title": source.name,
                "description": source.description,
                "tags": sorted(tags),
                "links": [{"url": f"{part.url}/sources/{source.slug}/", "title": "Signalbox"}],
            }
        ),
        {
            "type": "asyncapi",
            "lifecycle": _lifecycle(part.types),
            "owner": groups[source.team],
            "definition": b"".join(yaml_pieces(asyncapi(part, source))).decode(),
        },
    )


def _lifecycle(types: Sequence[Type]) -> str:
    """Backstage's word for all of a source's types: the best of them counts."""
    states = {kind.lifecycle for kind in types}
    if Lifecycle.ACTIVE in states:
        return "production"
    return "deprecated" if states & {Lifecycle.DEPRECATED, Lifecycle.RETIRED} else "experimental"
