"""What the compatibility check said of a version, as it is kept with it, in words for a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from catalog.models import SchemaVersion


class Told(NamedTuple):
    """A verdict: a status (ok, warn, bad, idle), its word, and sentences with the details."""

    kind: str
    word: str
    details: list[str]


def told(version: SchemaVersion) -> Told | None:
    """The verdict of `version`; None for one that was not checked, as a first version."""
    verdict: Mapping[str, Any] = version.verdict if isinstance(version.verdict, dict) else {}
    outcome = verdict.get("outcome")
    if not outcome:
        return None
    breaks = [one for one in verdict.get("breaks", ()) if isinstance(one, dict)]
    undecided = [one for one in verdict.get("undecided", ()) if isinstance(one, dict)]
    details = [str(one["message"]) for one in breaks if one.get("message")]
    details += [f"{one.get('path', 'data')}: {one['why']}" for one in undecided if one.get("why")]
    if outcome == "compatible":
        return Told("ok", _("compatible"), details)
    if version.override:
        return Told("bad" if breaks else "warn", _("saved all the same"), details)
    if verdict.get("mode") == "none":
        return Told("idle", _("no promise"), details)
    if breaks and all(one.get("caution") for one in breaks) and not undecided:
        return Told("warn", _("a caution"), details)
    if outcome == "undecided":
        return Told("warn", _("undecided"), details)
    return Told("bad", _("incompatible"), details)
