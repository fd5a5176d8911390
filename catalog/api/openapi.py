"""The description of the API itself: OpenAPI 3.1, as JSON and as YAML."""

from __future__ import annotations

import json
from functools import lru_cache

import yaml
from django.http import HttpResponse
from rest_framework.request import Request

from catalog.api.describing import described, document
from catalog.api.operation import READS, Operation, parameters

TAG = "This API"


class OpenApiJson(Operation):
    """The document as JSON."""

    needs = READS

    @described(
        "getOpenApiJson",
        "This description as JSON",
        "OpenAPI 3.1. Generators of clients read it.",
        tag=TAG,
        answers={200: ({"type": "object"}, "An OpenAPI 3.1 document.")},
        answer={"openapi": "3.1.0"},
        refuses=[422],
    )
    def get(self, request: Request) -> HttpResponse:
        """The document."""
        parameters(request)
        text = json.dumps(document(), ensure_ascii=False, indent=1)
        return HttpResponse(text, content_type="application/vnd.oai.openapi+json;version=3.1")


class OpenApiYaml(Operation):
    """The document as YAML."""

    needs = READS

    @described(
        "getOpenApiYaml",
        "This description as YAML",
        "The same document.",
        tag=TAG,
        answers={200: ({"type": "string"}, "An OpenAPI 3.1 document.")},
        answer="openapi: 3.1.0",
        refuses=[422],
    )
    def get(self, request: Request) -> HttpResponse:
        """The document."""
        parameters(request)
        return HttpResponse(
            _yaml(json.dumps(document())), content_type="application/vnd.oai.openapi;version=3.1"
        )


@lru_cache(maxsize=2)
def _yaml(document: str) -> str:
    """The document, given as JSON, as YAML: it stays the same while the process lives, and writing it takes 0.15 s."""
    # Parsed from JSON, for YAML would write what is used twice as anchors.
    return str(yaml.safe_dump(json.loads(document), allow_unicode=True, sort_keys=False, width=120))
