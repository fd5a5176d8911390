"""The JSON Schema drafts we accept, by their `$schema`."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urljoin

import jsonschema
import jsonschema_rs

DEFAULT = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema"


class Dialect(NamedTuple):
    """A draft. `year`: its number up to 7, its year from 2019 on.

    compile: jsonschema-rs's validator, which judges events; author: jsonschema's, which words mistakes in schemas.
    """

    name: str
    year: int
    compile: type[Any]
    author: type[Any]

    @property
    def meta_schema(self) -> Any:
        """The draft's own schema of schemas."""
        return self.author.META_SCHEMA


# Keys: $schema without a trailing "#".
DIALECTS: dict[str, Dialect] = {
    "http://json-schema.org/draft-04/schema": Dialect(
        "draft 4", 4, jsonschema_rs.Draft4Validator, jsonschema.Draft4Validator
    ),
    "http://json-schema.org/draft-06/schema": Dialect(
        "draft 6", 6, jsonschema_rs.Draft6Validator, jsonschema.Draft6Validator
    ),
    DRAFT_7: Dialect("draft 7", 7, jsonschema_rs.Draft7Validator, jsonschema.Draft7Validator),
    "https://json-schema.org/draft/2019-09/schema": Dialect(
        "draft 2019-09", 2019, jsonschema_rs.Draft201909Validator, jsonschema.Draft201909Validator
    ),
    DEFAULT: Dialect(
        "draft 2020-12", 2020, jsonschema_rs.Draft202012Validator, jsonschema.Draft202012Validator
    ),
}

# The drafts' own schemas, which every validator holds: a reference to them fetches nothing.
BUILT_IN: frozenset[str] = frozenset(
    urljoin(uri, part)
    for uri, dialect in DIALECTS.items()
    for part in ("", *(one["$ref"] for one in dialect.meta_schema.get("allOf", ())))
)


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
