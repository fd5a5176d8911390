"""A schema against a type of this Signalbox."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from catalog.command_line.ending import NotAsked
from catalog.models import EventType
from catalog.type_comparing import compared_with_type


def against_type(name: str, new: str, **changes: Any) -> dict[str, Any]:
    """The comparison of `new` (text that was checked) with the versions of a type. `changes`: mode, policy,
    accept_cautions in the place of the type's own. Raises NotAsked.
    """
    found = EventType.objects.filter(name=name).first()
    if found is None:
        raise NotAsked(
            _("“%(name)s” is neither a file nor a registered event type. Ask another Signalbox with --url.")
            % {"name": name}
        )
    return compared_with_type(found, new, (), **changes)
