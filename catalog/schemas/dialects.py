"""The JSON Schema drafts we accept, by their `$schema`."""

from __future__ import annotations

from typing import Any

import jsonschema
import jsonschema_rs

DEFAULT = "https://json-schema.org/draft/2020-12/schema"

# $schema without a trailing "#" → its name, the validator that compiles it, its meta-schema.
DIALECTS: dict[str, tuple[str, type[Any], Any]] = {
    "http://json-schema.org/draft-04/schema": (
        "draft 4",
        jsonschema_rs.Draft4Validator,
        jsonschema.Draft4Validator.META_SCHEMA,
    ),
    "http://json-schema.org/draft-06/schema": (
        "draft 6",
        jsonschema_rs.Draft6Validator,
        jsonschema.Draft6Validator.META_SCHEMA,
    ),
    "http://json-schema.org/draft-07/schema": (
        "draft 7",
        jsonschema_rs.Draft7Validator,
        jsonschema.Draft7Validator.META_SCHEMA,
    ),
    "https://json-schema.org/draft/2019-09/schema": (
        "draft 2019-09",
        jsonschema_rs.Draft201909Validator,
        jsonschema.Draft201909Validator.META_SCHEMA,
    ),
    DEFAULT: (
        "draft 2020-12",
        jsonschema_rs.Draft202012Validator,
        jsonschema.Draft202012Validator.META_SCHEMA,
    ),
}


def dialect_of(schema: Any) -> str | None:
    """The key of DIALECTS that `schema` declares, the default when it declares none, None when it is not known."""
    declared = schema.get("$schema", DEFAULT) if isinstance(schema, dict) else DEFAULT
    if not isinstance(declared, str):
        return None
    bare = declared.removesuffix("#")
    for key in (bare, "http://" + bare.removeprefix("https://"), "https://" + bare.removeprefix("http://")):
        if key in DIALECTS:
            return key
    return None
