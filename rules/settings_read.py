"""What of an event a target's settings take, beside its transform: values in a URL's path, or in a header.

Which settings are templates, the connector's schema says (`template`). Personal data counts wherever it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules import registry
from rules.engine import TransformError
from rules.engine.template import Placeholder, tokens_of
from rules.models import Target
from rules.personal_fields import READS


def sent_by(target: Target) -> Mapping[str, Any]:
    """The transform of a target, and what its settings read."""
    return with_settings(target.transform, target.connector, target.config)


def with_settings(
    transform: Mapping[str, Any], connector: str, config: Mapping[str, Any]
) -> Mapping[str, Any]:
    """`transform`, and what those settings read of an event."""
    found = registry.connector(connector)
    if found is None:
        return transform
    paths: list[str] = []
    for name, schema in found.schema["properties"].items():
        if schema.get("template"):
            for text in _texts(config.get(name)):
                paths += _paths(text)
    return {**transform, READS: paths} if paths else transform


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)


def _paths(text: str) -> list[str]:
    try:
        return [token.path.text for token in tokens_of(text, {}) if isinstance(token, Placeholder)]
    except TransformError:
        # It cannot be saved like this; until then it counts as everything.
        return ["$"]
