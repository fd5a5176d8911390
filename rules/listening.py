"""Which rules that listen could take an event of a type; compiled anew only when a rule has changed."""

from __future__ import annotations

import threading
from typing import Any

from django.db.models import Count, Max

from catalog.models import Stamp
from catalog.stamps import RULES
from rules.engine import Event, Matcher, compile_types
from rules.filtering import filter_of
from rules.models import Rule

_lock = threading.Lock()
_compiled: tuple[Any, Matcher] | None = None


def listening() -> Matcher:
    """What each enabled rule asks of the type alone. The same object until a rule changes."""
    global _compiled
    stamp = Stamp.objects.filter(name=RULES).values_list("version", flat=True).first() or 0
    # Not the stamp alone: a database that was restored counts on from an earlier one.
    seal = (stamp, *Rule.objects.aggregate(Count("pk"), Max("updated_at")).values())
    with _lock:
        if _compiled is None or _compiled[0] != seal:
            enabled = Rule.objects.filter(enabled=True).order_by("pk")
            _compiled = (seal, compile_types((rule.pk, filter_of(rule)) for rule in enabled))
        return _compiled[1]


def rules_taking(type_name: str) -> tuple[int, ...]:
    """The ids of the enabled rules that could take an event of this type."""
    return tuple(listening().match(Event({"type": type_name}, None)))
