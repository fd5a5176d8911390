"""What the palette lists by itself, without asking for anything: the pages and the actions."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.access import may_open
from catalog.navigation import RAIL, SETTINGS, Place
from catalog.palette.keys import GOES, caps_of


class Deed(NamedTuple):
    """An action: opens `page`, where it is done or confirmed, or does `do` (static/js/deeds.js) at once.

    `also`: other words by which it is found. `needs`: the URL name of what it comes to, where not everybody who may
    open `page` may do it.
    """

    title: str | Promise
    icon: str
    page: str = ""
    do: str = ""
    also: str | Promise = ""
    needs: str = ""


class Listed(NamedTuple):
    """A line of the palette that is there before anything was asked."""

    title: str
    icon: str
    url: str
    do: str
    also: str
    caps: tuple[str, ...]


# Pages that the rail does not show.
PAGES = [
    Place("following", _("What you follow"), "bell-ring"),
    Place("wanted", _("Wanted"), "megaphone"),
    Place("drafts", _("Drafts"), "file-pen"),
    Place("imports", _("Import"), "file-up"),
    Place("exports", _("Export"), "file-down"),
    Place("api-docs", _("The API"), "braces"),
    *SETTINGS,
]
DEEDS = [
    Deed(_("Register an event type"), "plus", "register-type", also=_("new add create schema")),
    Deed(_("Register a source"), "plus", "register-source", also=_("new add create")),
    Deed(_("Make a publishing token"), "key-round", "tokens", also=_("new create")),
    Deed(_("Make a bus"), "database", "new-bus", also=_("new create")),
    Deed(_("Make a team"), "users", "new-team", also=_("new create")),
    Deed(_("Invite a member"), "user-plus", "invite-member", also=_("new add person user")),
    Deed(_("Ask for an event"), "megaphone", "wanted", also=_("wanted missing")),
    Deed(_("Import event types from a document"), "file-up", "imports", also="OpenAPI AsyncAPI xRegistry"),
]
AT_ONCE = [
    Deed(_("Switch between light and dark"), "sun-moon", do="theme", also=_("theme")),
    Deed(_("Show the keys"), "keyboard", do="keys", also=_("shortcuts help")),
    Deed(_("Sign out"), "log-out", do="sign-out", also=_("log out leave")),
]


def register_place(place: Place) -> None:
    """Adds a page that the rail does not show. Rooms above register theirs when Django starts."""
    PAGES.append(place)


def register_deed(deed: Deed) -> None:
    """Adds an action."""
    DEEDS.append(deed)


def pages_for(user: Any) -> list[Listed]:
    """The pages that `user` may open, in the order of the rail, and then the others."""
    places = [*(place for _title, some in RAIL for place in some), *PAGES]
    return [
        Listed(
            str(place.label),
            place.icon,
            reverse(place.page),
            "",
            "",
            ("g", GOES[place.page]) if place.page in GOES else (),
        )
        for place in places
        if may_open(user, place.page)
    ]


def deeds_for(user: Any) -> list[Listed]:
    """The actions that `user` may take."""
    return [
        Listed(
            str(deed.title),
            deed.icon,
            reverse(deed.page) if deed.page else "",
            deed.do,
            str(deed.also),
            caps_of(deed.do),
        )
        for deed in [*DEEDS, *AT_ONCE]
        if all(may_open(user, page) for page in (deed.page, deed.needs) if page)
    ]
