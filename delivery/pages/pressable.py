"""An event as coloured JSON in which every value can be pressed to become a condition, and used ones are marked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.display.json_text import SHOWN_BYTES, highlight, parse, visible

Step = str | int
Used = Callable[[tuple[Step, ...]], bool]
HIDDEN_VALUES = 40
"""Members or elements of one object or list that are shown; the rest is counted."""


def event_html(raw: bytes, press_url: str, used: Used) -> SafeString:
    """The HTML inside `<pre class="code">`.

    `press_url`: where a pressed value is sent, "" when nothing can be pressed. `used` says of a place (names and
    indexes from the event's root) whether the transform takes it.
    """
    text = raw.decode("utf-8", "replace")
    if len(text) > SHOWN_BYTES:
        return highlight(raw)
    try:
        return mark_safe(_Writer(press_url, used).html(parse(text), (), 0))
    except (ValueError, RecursionError):
        return highlight(raw)


class _Writer:
    def __init__(self, press_url: str, used: Used) -> None:
        self.press_url, self.used = press_url, used

    def html(self, value: Any, place: tuple[Step, ...], depth: int) -> str:
        if not isinstance(value, list):
            return self._leaf(value, place)
        # An object is a list of (name, value) pairs of its own type: numbers and repeated names stay as written.
        is_object = type(value) is not list
        if not value:
            return f'<span class="p">{"{}" if is_object else "[]"}</span>'
        opening, closing = "{}" if is_object else "[]"
        pad = "  " * (depth + 1)
        members = []
        for index, member in enumerate(value[:HIDDEN_VALUES]):
            if is_object:
                name, inner = member
                shown = f'<span class="k">{_quoted(name)}</span><span class="p">:</span> '
                members.append(pad + shown + self.html(inner, (*place, name), depth + 1))
            else:
                members.append(pad + self.html(member, (*place, index), depth + 1))
        if len(value) > HIDDEN_VALUES:
            more = _("… and %(n)s more") % {"n": len(value) - HIDDEN_VALUES}
            members.append(f'{pad}<span class="c">{escape(more)}</span>')
        body = '<span class="p">,</span>\n'.join(members)
        marked = bool(place) and self.used(place) and place != ("data",)
        text = f'<span class="p">{opening}</span>\n{body}\n{"  " * depth}<span class="p">{closing}</span>'
        return f'<span class="used">{text}</span>' if marked else text

    def _leaf(self, value: Any, place: tuple[Step, ...]) -> str:
        if isinstance(value, str) and type(value) is not str:
            kind, written = "n", str(value)  # a number, as it was written
        elif isinstance(value, str):
            kind, written = "s", json.dumps(value, ensure_ascii=False)
        else:
            kind, written = "b", json.dumps(value)
        text: str = escape(visible(written))
        if self.used(place):
            text = f"<mark>{text}</mark>"
        path = path_of(place)
        if not self.press_url or path is None or len(written) > 1000:
            return f'<span class="{kind}">{text}</span>'
        return format_html(
            '<button type="submit" formnovalidate class="{}" name="pick" value="{}" hx-post="{}" title="{}">{}</button>',
            kind,
            f'{{"path": {json.dumps(path)}, "value": {written}}}',
            self.press_url,
            _("Keep only events with this value"),
            mark_safe(text),
        )


def path_of(place: Sequence[Step]) -> str | None:
    """The path of a condition for a place: names with dots; None when a name has a dot itself or says what to match."""
    names = [step for step in place if isinstance(step, str)]
    if (
        not names
        or names[0] in ("specversion", "data_base64")
        or any("." in name or name == "$or" or not name for name in names)
    ):
        return None
    return ".".join(names)


def _quoted(name: str) -> str:
    return escape(visible(json.dumps(name, ensure_ascii=False)))
