"""What the last look at the invariants found, in a line: quiet when all was well, loud when not."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.display import words
from catalog.templatetags.console import ago
from delivery.models import Reconciliation
from delivery.reconcile.work import BY_NAME
from delivery.tracking.read import HOUR, now

# A look comes each hour; after three without one the line says that nobody looks.
LATE = 3 * HOUR
SHOWN = 3


class Reconciled(NamedTuple):
    """`kind` ok, warn or bad; a headline; a sentence that says when it was; one line per finding."""

    kind: str
    headline: str
    sentence: str
    lines: list[str]


def last(target: int | None = None) -> Reconciled | None:
    """The last look, at everything or as far as it is about `target`; None when there was none yet."""
    newest = Reconciliation.objects.first()
    if newest is None:
        return None
    # What crashes and deletions leave behind, and was put away, is no news.
    when = ago(newest.at)
    found = [
        one
        for one in newest.found
        if one["name"] in BY_NAME
        and not (BY_NAME[one["name"]].leftover and one["mended"] == one["count"])
        and (target is None or target in one["targets"])
    ]
    if not found:
        if newest.at < now() - LATE:
            return Reconciled(
                "warn",
                _("Nobody compares the records any more."),
                format_html(
                    _("A worker that serves the queue upkeep does so each hour. The last time was {when}."),
                    when=when,
                ),
                [],
            )
        compared = format_html(_("Events, deliveries and counts were compared {when}."), when=when)
        return Reconciled("ok", "", compared, [])
    left = sum(one["count"] - one["mended"] for one in found)
    count = sum(one["count"] for one in found)
    if left:
        headline = ngettext(
            "%(n)s contradiction in the records could not be mended.",
            "%(n)s contradictions in the records could not be mended.",
            left,
        ) % {"n": words.number(left)}
        found = [one for one in found if one["mended"] < one["count"]]
        sentence = format_html(_("“manage.py reconcile” says where. Found {when}."), when=when)
    else:
        headline = ngettext(
            "%(n)s contradiction in the records was found and mended.",
            "%(n)s contradictions in the records were found and mended.",
            count,
        ) % {"n": words.number(count)}
        sentence = format_html(_("Found {when}."), when=when)
    lines = [
        f"{words.number(one['count'] - one['mended'] if left else one['count'])} {BY_NAME[one['name']].finds}"
        for one in found[:SHOWN]
    ]
    return Reconciled("bad" if left else "warn", headline, sentence, lines)
