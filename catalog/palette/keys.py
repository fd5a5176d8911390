"""The keys of the console: the one description that the list of keys, the palette and the page's script all read."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.access import may_open
from catalog.navigation import RAIL

# The second key of "g m" and its like, by the URL name of a page of the rail.
GOES = {
    "marketplace": "m",
    "changes": "c",
    "map": "p",
    "sources": "s",
    "discovery": "v",
    "rules": "r",
    "targets": "t",
    "bins": "b",
    "approvals": "a",
    "deliveries": "d",
    "find": "f",
    "dead-letters": "l",
}


class Key(NamedTuple):
    """Keys pressed one after the other, and what they do: open `url`, or `do` (static/js/deeds.js).

    `caps` is what stands on them. Without `url` and `do` the part of the page that has the keys listens to them itself.
    """

    caps: tuple[str, ...]
    does: str | Promise
    url: str = ""
    do: str = ""

    @property
    def pressed(self) -> str:
        """As the script compares it: "g m"."""
        return " ".join(self.caps)


class Keys(NamedTuple):
    """Keys that belong together."""

    title: str | Promise
    keys: list[Key]


ANYWHERE = [
    Key(("Ctrl K",), _("Search or do anything")),
    Key(("?",), _("Show the keys"), do="keys"),
    Key(("/",), _("Search this page"), do="search"),
    Key(("t",), _("Switch between light and dark"), do="theme"),
    Key(("Esc",), _("Close what is open")),
]
IN_LISTS = [
    Key(("j",), _("Next row"), do="next-row"),
    Key(("k",), _("Row before"), do="previous-row"),
    Key(("↵",), _("Open the row")),
    Key(("n",), _("Make a new one"), do="new"),
]
IN_PALETTE = [
    Key(("↑", "↓"), _("Move")),
    Key(("↵",), _("Open")),
    Key(("Ctrl ↵",), _("Open in a new tab")),
]
IN_EDITOR = [Key(("Ctrl ↵",), _("Try the rule at once"))]


def keys_for(user: Any) -> list[Keys]:
    """All keys, without those of pages that `user` may not open."""
    places = [place for _title, some in RAIL for place in some if place.page in GOES]
    goes = [
        Key(("g", GOES[place.page]), place.label, url=reverse(place.page))
        for place in places
        if may_open(user, place.page)
    ]
    return [
        Keys(_("Anywhere"), ANYWHERE),
        Keys(_("Go to"), goes),
        Keys(_("In a list"), IN_LISTS),
        Keys(_("In the palette"), IN_PALETTE),
        Keys(_("In the rule editor"), IN_EDITOR),
    ]


def caps_of(do: str) -> tuple[str, ...]:
    """The keys that do `do`, none when it has none."""
    return next((key.caps for key in ANYWHERE if key.do == do), ())
