"""What the person at the terminal reads when everything answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from django.utils.translation import gettext as _

from delivery.demo import first_event


def banner(
    base: str,
    *,
    facts: Mapping[str, object] | None,
    link: str | None,
    networks: Sequence[str],
    var: Path,
    notes: Sequence[str] = (),
) -> str:
    """The lines to print: where Signalbox is, how to begin, what targets may be, where the data is, how to stop.

    `base` is the URL of the web process without a slash at its end. `facts` are user, password, token and bus of the
    demo; without it, `link` is the path at which the administrator's account is made, if there is none yet.
    `networks` may be targets beside public addresses. `notes` say what is slow or risky (delivery/supervision/advice.py).
    """
    lines = ["", _("Signalbox is running: %(base)s") % {"base": base}, ""]
    if facts:
        lines.append(_entry(_("Sign in"), f"{facts['user']} / {facts['password']}"))
        lines.append(_entry(_("Publish"), _("paste this into another terminal:")))
        # At the margin, so that what is copied from the terminal is what README.md shows.
        lines += ["", first_event.curl(base, str(facts["bus"]), str(facts["token"])), ""]
        lines.append(_entry(_("See it"), first_event.journey(base)))
    elif link:
        text = _("make the administrator's account here; the link works once: %(link)s")
        lines.append(_entry(_("Begin"), text % {"link": base + link}))
    if networks:
        text = _("may be on this machine (%(networks)s); with SIGNALBOX_PRODUCTION=1 they may not")
        lines.append(_entry(_("Targets"), text % {"networks": ", ".join(networks)}))
    lines.append(_entry(_("Data"), str(var)))
    lines.append(_entry(_("Stop"), _("Ctrl-C; started again, it goes on where it was")))
    lines += [_entry(_("Note"), note) for note in notes]
    return "\n".join([*lines, ""])


def _entry(name: str, text: str) -> str:
    return f"  {name:<9}{text}"
