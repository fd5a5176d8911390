"""What every page of the console shows around its content: the rail, its counts, the bus, the theme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog import discovery
from catalog.access import may_open
from catalog.changes import OWN
from catalog.following.follows import unread
from catalog.models import Bus, EventType, Source

THEMES = ("light", "dark")


class Place(NamedTuple):
    """A page in the rail. `below` are URL names of pages under it, which light it up too."""

    page: str
    label: str | Promise
    icon: str
    below: tuple[str, ...] = ()
    on_phone: bool = False
    trouble: bool = False


RAIL: tuple[tuple[str | Promise, tuple[Place, ...]], ...] = (
    (
        "",
        (
            Place(
                "marketplace",
                _("Marketplace"),
                "store",
                (
                    "event-type",
                    "register-type",
                    "edit-type",
                    "delete-type",
                    "type-lifecycle",
                    "register-version",
                    "drafts",
                    "import-run",
                    "publish",
                    "exports",
                    "api-docs",
                    "wanted",
                ),
                on_phone=True,
            ),
            Place("changes", _("Changes"), "bell", ("following",)),
            Place("map", _("Map"), "waypoints", on_phone=True),
        ),
    ),
    (
        _("Connect"),
        (
            Place("sources", _("Sources"), "radio-tower", ("source", "register-source", "edit-source")),
            Place("discovery", _("Discovery"), "radar", ("discovered", "drift", "type-drift", "imports")),
            Place(
                "rules",
                _("Rules"),
                "git-fork",
                ("rule", "subscribe", "edit-rule", "add-target", "delete-rule"),
                on_phone=True,
            ),
            Place("targets", _("Targets"), "target", ("target", "edit-target", "delete-target")),
            Place("bins", _("Request bins"), "package-open", ("bin", "delete-bin")),
            Place("approvals", _("Approvals"), "shield-check"),
        ),
    ),
    (
        _("Operate"),
        (
            Place("deliveries", _("Deliveries"), "activity", ("journey",), on_phone=True),
            Place("find", _("Find an event"), "search"),
            Place("dead-letters", _("Dead letters"), "inbox", on_phone=True, trouble=True),
            Place(
                "settings",
                _("Settings"),
                "settings-2",
                (
                    *("teams", "team", "new-team", "delete-team", "members", "member", "invite-member"),
                    *("tokens", "buses", "bus", "new-bus", "retire-bus", "connectors", "audit"),
                    *("profile", "own-password"),
                ),
            ),
        ),
    ),
)

# The pages of the settings, in the order of their sub-navigation. `below` as in the rail.
SETTINGS: tuple[Place, ...] = (
    Place("teams", _("Teams"), "users", ("team", "new-team", "delete-team")),
    Place("members", _("Members"), "contact", ("member", "invite-member")),
    Place("tokens", _("Tokens"), "key-round"),
    Place("buses", _("Buses"), "database", ("bus", "new-bus", "retire-bus")),
    Place("connectors", _("Connectors"), "plug"),
    Place("audit", _("Audit log"), "scroll-text"),
    Place("profile", _("Your profile"), "circle-user", ("own-password",)),
)

_counts: dict[str, Callable[[], int]] = {}
_counts_for: dict[str, Callable[[Any], int | None]] = {}


def count(page: str, how_many: Callable[[], int]) -> None:
    """Lets the rail show `how_many()` beside `page`. Rooms above register theirs when Django starts."""
    _counts[page] = how_many


def count_for(page: str, how_many: Callable[[Any], int | None]) -> None:
    """The same, where the number is another for each person: `how_many(user)`."""
    _counts_for[page] = how_many


# What tells of Signalbox itself is on no shelf unless asked for.
count("marketplace", lambda: EventType.objects.exclude(team__slug=OWN).count())
count("sources", lambda: Source.objects.offered().count())
count_for("changes", unread)
count("discovery", discovery.count)


def settings_for(user: Any) -> list[Place]:
    """The pages of the settings that `user` may open; everybody has a profile."""
    return [place for place in SETTINGS if may_open(user, place.page)]


def console(request: HttpRequest) -> dict[str, Any]:
    """Context of the rail and the top bar. Counted only by pages that show the rail; fragments cost nothing."""
    theme = request.COOKIES.get("theme")
    return {
        "rail": partial(_rail, request),
        "rail_bus": Bus.objects.offered().first,
        "theme": theme if theme in THEMES else "",
    }


def _rail(request: HttpRequest) -> Iterator[tuple[str | Promise, list[dict[str, Any]]]]:
    here = request.resolver_match.url_name if request.resolver_match else None
    for title, places in RAIL:
        yield (
            title,
            [
                {
                    "place": place,
                    "url": reverse(place.page),
                    "current": here == place.page,
                    "within": here in place.below,
                    "count": _count(request, place.page),
                }
                for place in places
            ],
        )


def _count(request: HttpRequest, page: str) -> int | None:
    if page in _counts_for and request.user.is_authenticated:
        # Most people have nothing to decide: no number then.
        return _counts_for[page](request.user) or None
    return _counts[page]() if page in _counts else None
