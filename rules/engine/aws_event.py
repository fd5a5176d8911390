"""Events in the envelope of AWS EventBridge, read as the CloudEvents that patterns written for AWS mean."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.engine.event import Event

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RENAMED = {"detail": "data", "detail-type": "type"}


def read_event(raw: bytes) -> Event:
    """The event of one JSON object: a CloudEvent (Event.from_json), or an event as AWS has it.

    An AWS event has `detail` and `detail-type` and no `specversion`. `detail` becomes data and `detail-type` the type;
    `version`, `account`, `region` and the others become extension attributes. `resources` is a list there, which no
    attribute can be: of one entry it is that entry, without any it is not there. Raises ValueError, saying what
    would be right, as Event.from_json and for several resources.
    """
    return Event.from_json(as_cloudevent(raw) or raw)


def as_cloudevent(raw: bytes) -> bytes | None:
    """An AWS event as a CloudEvent in JSON format, its values byte for byte; None for what is no AWS event."""
    try:
        members = _members.decode(raw)
    except (ValueError, RecursionError):
        return None
    if (
        not _RENAMED.keys() <= members.keys()
        or {"specversion", "type", "data", "data_base64"} & members.keys()
    ):
        return None
    ours: dict[str, Any] = {"specversion": "1.0"}
    for name, value in members.items():
        if name != "resources":
            ours[_RENAMED.get(name, name)] = value
            continue
        try:
            resources = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            resources = None
        if not isinstance(resources, list) or len(resources) > 1:
            raise ValueError(
                "`resources` of an AWS event becomes one attribute here, which cannot be a list of several: leave "
                "one resource, or put the list into `detail` and ask for `detail.resources`"
            )
        if resources:
            ours[name] = resources[0]
    return msgspec.json.encode(ours)
