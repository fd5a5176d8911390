"""What the person at the terminal reads when everything answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.utils.translation import gettext as _

# An event that the demo's catalog knows and its request bin receives (a test holds it to the schema).
FIRST_EVENT = {
    "source": "/carriers",
    "type": "parcel.delivered",
    "data": {
        "parcel_id": "parcel-1001-1",
        "order_id": "1001",
        "handed_to": "neighbour",
        "at": "2026-11-23T12:00:00Z",
    },
}


def banner(
    base: str, *, facts: Mapping[str, object] | None, link: str | None, networks: Sequence[str], var: Path
) -> str:
    """The lines to print: where Signalbox is, how to begin, what targets may be, where the data is, how to stop.

    `base` is the URL of the web process without a slash at its end. `facts` are user, password, token and bus of the
    demo; without it, `link` is the path at which the administrator's account is made, if there is none yet.
    `networks` may be targets beside public addresses.
    """
    lines = ["", _("Signalbox is running: %(base)s") % {"base": base}, ""]
    if facts:
        lines.append(_entry(_("Sign in"), f"{facts['user']} / {facts['password']}"))
        lines.append(_entry(_("Publish"), first_event_by_curl(base, str(facts["bus"]), str(facts["token"]))))
    elif link:
        text = _("make the administrator's account here; the link works once: %(link)s")
        lines.append(_entry(_("Begin"), text % {"link": base + link}))
    if networks:
        text = _("may be on this machine (%(networks)s); with SIGNALBOX_PRODUCTION=1 they may not")
        lines.append(_entry(_("Targets"), text % {"networks": ", ".join(networks)}))
    lines.append(_entry(_("Data"), str(var)))
    lines.append(_entry(_("Stop"), _("Ctrl-C; started again, it goes on where it was")))
    return "\n".join([*lines, ""])


def first_event_by_curl(base: str, bus: str, token: str) -> str:
    """A line for a POSIX shell that publishes FIRST_EVENT with a new id each second."""
    # The id leaves the single quotes, so that the shell fills in the time.
    event = json.dumps({"specversion": "1.0", "id": "'$(date +%s)'", **FIRST_EVENT})
    return (
        f"curl -i {base}/v1/buses/{bus}/events -H 'Authorization: Bearer {token}' "
        f"-H 'Content-Type: application/cloudevents+json' -d '{event}'"
    )


def _entry(name: str, text: str) -> str:
    return f"  {name:<9}{text}"
