"""Which objects the audit log knows, and which models it watches. Rooms above register theirs when Django starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import models
from django.utils.functional import Promise

from catalog.models import AuditRecord

Values = Mapping[str, Any]
Action = AuditRecord.Action


class Kind(NamedTuple):
    """A kind of object. `page(key)`: the path of its page. `there(keys)`: which of those keys still exist."""

    label: str | Promise
    page: Callable[[str], str]
    there: Callable[[Iterable[str]], set[str]]


def _as_it_is(values: Values) -> Values:
    return values


def _by_itself(before: Values, after: Values) -> Action | None:
    return None


@dataclass(frozen=True)
class Watch:
    """How the rows of a model are recorded.

    `key` and `name` name the object. `fields`: those that are recorded, all but `without` when there are none.
    `hide(values)`: the values as they may be shown. `flat`: fields whose entries count one by one. `act(before, after)`:
    what the change of a row is called, by the raw values of the changed fields, None for the plain word.
    `deletes`: False for rows that go with another one, whose record says it.
    """

    kind: str
    key: Callable[[Any], str]
    name: Callable[[Any], str] = str
    fields: tuple[str, ...] = ()
    without: frozenset[str] = frozenset({"id", "created_at", "updated_at", "created_by", "revision"})
    hide: Callable[[Values], Values] = _as_it_is
    flat: tuple[str, ...] = ()
    act: Callable[[Values, Values], Action | None] = _by_itself
    deletes: bool = True


KINDS: dict[str, Kind] = {}
WATCHED: dict[type[models.Model], Watch] = {}


def known(name: str, kind: Kind) -> None:
    """Makes a kind of object known; one of the same name is replaced."""
    KINDS[name] = kind


def keys_in(model: type[models.Model], field: str) -> Callable[[Iterable[str]], set[str]]:
    """For `Kind.there`: which keys the rows of `model` have in `field`."""

    def there(keys: Iterable[str]) -> set[str]:
        whole = [int(key) for key in keys if key.isdecimal()] if field == "pk" else list(keys)
        return {
            str(one)
            for one in model._default_manager.filter(**{f"{field}__in": whole}).values_list(field, flat=True)
        }

    return there
