"""The request that a dead letter keeps as it was sent, beside what would be sent now, and what changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from django.utils.translation import gettext as _

from delivery.connectors.spi import Delivery
from delivery.pages.outgoing import OF_ONE_ATTEMPT, Outgoing, delivery_id, outgoing
from delivery.tracking.read import rows
from delivery.tracking.words import State
from rules.engine import Event
from rules.models import Target, TargetRevision


class Change(NamedTuple):
    """What differs: its name, as it was and as it would be; empty where there is none."""

    name: str
    before: str
    after: str


class KeptRequest(NamedTuple):
    """`sent`: what the last attempt sent, with the target's `revision` then. `now`: what would be sent now, if known.

    `changed`: empty when the same would be sent.
    """

    sent: Outgoing
    revision: int
    now: Outgoing | None
    changed: list[Change]


class _Row(msgspec.Struct):
    """What runner_exception keeps (delivery/runner/preparing.py). Rows of before say neither revision nor attempt."""

    whole: bool = True
    content_type: str = ""
    body: str = ""
    revision: int = 0
    attempt: int = 0
    at: int = 0


def kept_request(
    target_id: int, seq: int, raw: bytes, target: Target | None, revision: int = 0, hidden: bool = False
) -> KeptRequest | None:
    """None where nothing was sent: it expired, or no request could be made of it.

    `raw`: the event as whoever looks may see it. `revision`: of the last attempt, for rows that do not say it. `hidden`:
    the event has personal fields that may not be shown: then the body is worked out from `raw`, not the one kept.
    """
    found = rows(
        "SELECT request FROM runner_exception WHERE target = %s AND seq = %s AND state IN (%s, %s) AND request IS NOT NULL",
        [target_id, seq, int(State.DEAD), int(State.DISCARD)],
    )
    if not found:
        return None
    kept = msgspec.json.decode(found[0][0], type=_Row)
    number = kept.revision or revision
    settings: TargetRevision | Target | None = (
        TargetRevision.objects.filter(target_id=target_id, number=number).first() or target
    )
    if settings is None:
        return None
    identity = delivery_id(target_id, seq)
    sent = outgoing(
        settings.connector, settings.config, settings.transform, raw, identity,
        attempt=(kept.attempt, kept.at // 1_000_000) if kept.attempt else None,
        delivery=None if hidden else _delivery(kept, raw, identity),
    )  # fmt: skip
    if target is None:
        return KeptRequest(sent, number, None, [])
    now = outgoing(target.connector, target.config, target.transform, raw, identity)
    return KeptRequest(sent, number, now, changes(sent, now))


def changes(before: Outgoing, after: Outgoing) -> list[Change]:
    """How two requests differ, but for what is of one attempt only, and lengths."""
    found = []
    if before.problem != after.problem:
        found.append(Change(_("Problem"), before.problem, after.problem))
    if before.line != after.line:
        found.append(Change(_("Address"), before.line, after.line))
    old, new = _compared(before.headers), _compared(after.headers)
    found += [
        Change(name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys([*old, *new])
        if old.get(name, "") != new.get(name, "")
    ]
    if before.body != after.body:
        size = _("%(n)s bytes")
        found.append(Change(_("Body"), size % {"n": before.size}, size % {"n": after.size}))
    return found


def _compared(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name not in OF_ONE_ATTEMPT and name != "content-length"}


def _delivery(kept: _Row, raw: bytes, identity: str) -> Delivery:
    about: dict[str, Any] = {
        "event": raw,
        "attributes": Event.from_json(raw).attributes,
        "delivery_id": identity,
        "attempt": kept.attempt or 1,
    }
    if kept.whole:
        return Delivery(**about, whole=True)
    return Delivery(**about, body=kept.body.encode(), content_type=kept.content_type)
