"""A pattern as JSON text while somebody writes it: the types it names, and a type or a value put into it.

AWS calls the type `detail-type` and data `detail`; a pattern that does is written on in its own words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.engine import validate

TYPE, AWS_TYPE = "type", "detail-type"
TYPE_KEYS = (TYPE, AWS_TYPE)
_AWS = {"detail": "data", AWS_TYPE: TYPE}


def dumped(pattern: Any) -> str:
    """JSON as the editor shows it."""
    return json.dumps(pattern, indent=2, ensure_ascii=False)


def types_key(pattern: Mapping[str, Any]) -> str:
    """What the pattern calls the type: `type`, or `detail-type` as AWS does."""
    return AWS_TYPE if AWS_TYPE in pattern and TYPE not in pattern else TYPE


def our_path(path: str) -> str:
    """A path as CloudEvents have it: `detail.total` is `data.total`, `detail-type` is `type`."""
    first, dot, rest = path.strip().partition(".")
    return _AWS.get(first, first) + dot + rest


def asks_of_type(pattern: Mapping[str, Any]) -> bool:
    """Whether the pattern says anything about the type, at its top or in an alternative of it."""
    if any(key in pattern for key in TYPE_KEYS):
        return True
    alternatives = pattern.get("$or")
    listed = alternatives if isinstance(alternatives, list) else []
    return any(isinstance(one, dict) and asks_of_type(one) for one in listed)


def types_in(text: str) -> list[str] | None:
    """The types that a pattern names one by one at its top; None when the text is no pattern that could say."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError):
        return None
    listed = pattern.get(types_key(pattern), []) if isinstance(pattern, dict) else None
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else None


def with_types(text: str, types: Sequence[str]) -> str:
    """The pattern listening to `types`; what it asks of the type in another way stays. A text with a mistake stays."""
    if validate(text):
        return text
    pattern = json.loads(text)
    key = types_key(pattern)
    others = [value for value in pattern.pop(key, []) if not isinstance(value, str)]
    return dumped(({key: [*types, *others]} if types or others else {}) | pattern)


def with_value(text: str, path: str, value: Any) -> str:
    """The pattern that takes `value` at `path` too. Raises ValueError with a sentence when that cannot be written."""
    if validate(text):
        raise ValueError(_("Mend the pattern first, then a value can be added to it."))
    pattern = json.loads(text)
    first, dot, rest = path.partition(".")
    called = {ours: theirs for theirs, ours in _AWS.items() if theirs in pattern and ours not in pattern}
    at, (*names, last) = pattern, (called.get(first, first) + dot + rest).split(".")
    for name in names:
        at = at.setdefault(name, {})
        if not isinstance(at, dict):
            raise ValueError(_("The pattern asks for %(path)s in another way already.") % {"path": path})
    listed = at.setdefault(last, [])
    if not isinstance(listed, list):
        raise ValueError(_("The pattern asks for %(path)s in another way already.") % {"path": path})
    if value not in listed:
        listed.append(value)
    return dumped(pattern)
