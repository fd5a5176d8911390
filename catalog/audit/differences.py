"""What a change did to a row, field by field, with secrets as dots and long values cut."""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from catalog.audit.kinds import Values, Watch

MASK = "••••"
# Never shown, whatever a watch says.
SECRET = re.compile(r"(^|_)(password|secret|digest|token|private|credential)s?($|_)", re.IGNORECASE)
# Characters of a value that are kept.
LONGEST = 2_000
NOTHING: tuple[Any, ...] = (None, "", {}, [], False)


def difference(
    watch: Watch, old: models.Model | None, new: models.Model | None, only: frozenset[str] | None = None
) -> tuple[dict[str, Any], dict[str, Any], Values, Values]:
    """The changed fields before and after as they may be shown, and both once more as they are.

    Without `old` or `new`, for a row that is made or deleted, what is empty is left out. `only`: fields that were saved.
    """
    raw_old, raw_new = _raw(watch, old, only), _raw(watch, new, only)
    flat_old, flat_new = _flat(watch, raw_old), _flat(watch, raw_new)
    shown_old, shown_new = _flat(watch, _shown(watch, raw_old)), _flat(watch, _shown(watch, raw_new))
    whole = old is not None and new is not None
    names = [
        name
        for name in {**flat_old, **flat_new}
        if flat_old.get(name) != flat_new.get(name)
        and (whole or flat_old.get(name, flat_new.get(name)) not in NOTHING)
    ]
    before = {name: _value(old, name, shown_old[name]) for name in names if name in shown_old}
    after = {name: _value(new, name, shown_new[name]) for name in names if name in shown_new}
    return (
        before,
        after,
        {name: flat_old[name] for name in names if name in flat_old},
        {name: flat_new[name] for name in names if name in flat_new},
    )


def _raw(watch: Watch, row: models.Model | None, only: frozenset[str] | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {
        field.name: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not isinstance(field, models.BinaryField)
        and (field.name in watch.fields if watch.fields else field.name not in watch.without)
        and (only is None or field.name in only or field.attname in only)
    }


def _shown(watch: Watch, values: dict[str, Any]) -> Values:
    hidden = {name: MASK if SECRET.search(name) and value else value for name, value in values.items()}
    return watch.hide(hidden) if hidden else hidden


def _flat(watch: Watch, values: Values) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in watch.flat and isinstance(value, dict):
            found |= {f"{name}.{part}": one for part, one in value.items()}
        else:
            found[name] = value
    return found


def _value(row: models.Model | None, name: str, value: Any) -> Any:
    """A value as it is kept: what a relation points to by its name."""
    if row is not None and value not in (None, MASK) and "." not in name:
        field = row._meta.get_field(name)
        if field.is_relation:
            return bounded(str(getattr(row, name)))
    return bounded(value)


def bounded(value: Any) -> Any:
    """`value` as JSON, cut where it is long."""
    plain = json.loads(json.dumps(value, cls=DjangoJSONEncoder))
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    if len(text) <= LONGEST:
        return plain
    return f"{text[:LONGEST]}… ({len(text):,} characters)"
