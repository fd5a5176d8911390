"""Changes in words: a title made when it is shown, in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.changes import KINDS
from catalog.models import Bus, Change, Domain, EventType, Source

# Of a list in a sentence; the rest is counted.
NAMED = 3
ICONS = {
    "type.deprecated": "hourglass",
    "type.retired": "archive",
    "type.deleted": "trash-2",
    "type.drifting": "git-compare-arrows",
    "type.quality_dropped": "triangle-alert",
    "wanted.asked": "megaphone",
}


@dataclass(frozen=True)
class Told:
    """A change as it is shown: `subject` is what it is about, `sentence` goes on after it, `path` leads to its page.

    `domain`: of its event type, None when there is none any more. `new`: the person has not seen it yet.
    """

    change: Change
    subject: str
    sentence: str
    path: str
    domain: Domain | None = None
    new: bool = False

    @property
    def title(self) -> str:
        """Subject and sentence."""
        return f"{self.subject} {self.sentence}"

    @property
    def version(self) -> int | None:
        """The schema version it is about."""
        number = self.change.detail.get("version")
        return number if isinstance(number, int) else None

    @property
    def icon(self) -> str:
        """Name of an icon for what is more than a registration; "" otherwise."""
        return ICONS.get(self.change.kind, "")

    @property
    def remarks(self) -> list[str]:
        """What else is known of it, a sentence each."""
        return list(_remarks(self.change.kind, self.change.detail))


def told(changes: Iterable[Change], seen: int | None = None) -> list[Told]:
    """The changes in words, with two queries for all. `seen`: id of the newest that the person saw, None: all are old."""
    listed = list(changes)
    names = {change.type_name for change in listed if change.type_name}
    types = {one.name: one for one in EventType.objects.filter(name__in=names).select_related("domain")}
    slugs = {change.source for change in listed if change.source}
    sources = set(Source.objects.filter(slug__in=slugs).values_list("slug", flat=True)) if slugs else set()
    buses = {change.bus for change in listed if change.bus}
    there = set(Bus.objects.filter(name__in=buses).values_list("name", flat=True)) if buses else set()
    return [
        Told(
            change,
            subject_of(change),
            sentence_of(change),
            _path(change, types, sources, there),
            types[change.type_name].domain if change.type_name in types else None,
            seen is not None and change.pk > seen,
        )
        for change in listed
    ]


def subject_of(change: Change) -> str:
    """What the change is about, by name."""
    return change.type_name or str(change.detail.get("name") or change.source or change.bus)


def sentence_of(change: Change) -> str:
    """What happened to the subject, without it."""
    detail = change.detail
    version = detail.get("version")
    match change.kind:
        case "type.registered":
            return _("is on the shelf.")
        case "version.registered":
            return _("has a new version, %(version)s.") % {"version": version or "?"}
        case "type.changed" | "source.changed" | "bus.changed":
            fields = _some(detail.get("fields"))
            if detail.get("fields") == ["default_version"]:
                if version:
                    return _("counts events that name no version for version %(version)s.") % {
                        "version": version
                    }
                return _("counts events that name no version for its newest version.")
            return _("was changed: %(fields)s.") % {"fields": fields} if fields else _("was changed.")
        case "type.deprecated":
            day = _day(detail.get("ends_on"))
            if version and day:
                return _("takes events of version %(version)s until %(day)s.") % {
                    "version": version,
                    "day": day,
                }
            if version:
                said = _("is to end in version %(version)s") % {"version": version}
            elif detail.get("again"):
                said = _("says something else about its end")
            else:
                said = _("is deprecated")
            return _("%(said)s and ends on %(day)s.") % {"said": said, "day": day} if day else f"{said}."
        case "type.reactivated":
            if version and detail.get("before") == "draft":
                return _("has a new version, %(version)s.") % {"version": version}
            if version:
                return _("takes events of version %(version)s again.") % {"version": version}
            return _("is active now.") if detail.get("before") == "draft" else _("is in use again.")
        case "type.retired":
            if version:
                return _("takes no more events of version %(version)s.") % {"version": version}
            return _("is retired and takes no more events.")
        case "source.registered" | "bus.registered":
            return _("is new.")
        case "source.retired" | "bus.retired":
            return _("is retired.")
        case "type.deleted":
            return _("was deleted from the catalog.")
        case "type.drifting":
            return _("carries what its schema does not say.")
        case "type.quality_dropped":
            share = detail.get("share")
            if isinstance(share, int | float):
                return _("fits its schema less often: %(share)s of its events do not.") % {
                    "share": f"{share:.1%}"
                }
            return _("fits its schema less often than before.")
        case "wanted.asked":
            return _("is wanted.")
        case "wanted.answered":
            return _("was wanted and is there now.")
    says = KINDS.get(change.kind)
    return str(says.says) if says else change.kind


def _remarks(kind: str, detail: dict[str, Any]) -> Iterable[str]:
    if notes := detail.get("notes"):
        yield str(notes)
    if override := detail.get("override"):
        yield _("It breaks the promise of compatibility and was saved because: %(why)s") % {"why": override}
    elif detail.get("verdict") == "compatible":
        yield _("It is compatible with the version before.")
    if changed := _sentences(detail.get("changes")):
        yield changed
    if successor := detail.get("successor"):
        yield _("Use %(successor)s in its place.") % {"successor": successor}
    if newer := detail.get("successor_version"):
        yield _("Use version %(number)s in its place.") % {"number": newer}
    if farewell := detail.get("farewell"):
        yield str(farewell)
    if causes := _some(detail.get("causes")):
        yield causes
    if why := detail.get("why"):
        yield str(why)


def _some(values: Any) -> str:
    """The first of a list in a phrase, and how many more there are."""
    if not isinstance(values, list) or not values:
        return ""
    named = "; ".join(str(one).rstrip(".") for one in values[:NAMED])
    more = len(values) - NAMED
    if more <= 0:
        return named
    return named + "; " + ngettext("%(n)s more", "%(n)s more", more) % {"n": more}


def _sentences(values: Any) -> str:
    """The first of a list of sentences, and how many more there are."""
    if not isinstance(values, list):
        return ""
    said = [f"{str(one).rstrip('.')}." for one in values[:NAMED]]
    more = len(values) - NAMED
    if more > 0:
        said.append(ngettext("And %(n)s more.", "And %(n)s more.", more) % {"n": more})
    return " ".join(said)


def _day(value: Any) -> str:
    try:
        return date_format(date.fromisoformat(str(value)[:10]), "j F Y")
    except ValueError:
        return ""


def _path(change: Change, types: dict[str, EventType], sources: set[str], buses: set[str]) -> str:
    if change.kind == "wanted.asked" and change.type_name not in types:
        return reverse("wanted")
    if change.type_name in types:
        return reverse("event-type", args=[change.type_name])
    if change.source in sources:
        return reverse("source", args=[change.source])
    if change.bus in buses:
        return reverse("buses")
    # What is gone has its history.
    return f"{reverse('changes')}?change={change.pk}"
