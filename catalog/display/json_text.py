"""JSON as coloured, escaped HTML: numbers stay as written, short lists and objects stay on one line."""

from __future__ import annotations

import json
import re
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

SHOWN_BYTES = 64 * 1024
LINE = 60
# Characters that turn text around or hide in it; shown as escapes, so that what is read is what is there.
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class Number(str):
    """A number exactly as it was written."""


class Pairs(list[tuple[str, Any]]):
    """An object's members in order, repeated names included."""


def visible(text: str) -> str:
    """`text` with its invisible and direction-changing characters written as \\uXXXX."""
    return HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def parse(raw: str) -> Any:
    """The JSON value of `raw` with numbers and repeated names kept. Raises ValueError or RecursionError."""
    return json.loads(
        raw, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=Number
    )


def highlight(raw: bytes | bytearray | memoryview | str | Any) -> SafeString:
    """The HTML inside `<pre class="code">` for JSON text, or for a value; text that is no JSON comes back as text."""
    if isinstance(raw, bytes | bytearray | memoryview):
        text = bytes(raw).decode("utf-8", "replace")
    elif isinstance(raw, str):
        text = raw
    else:
        text = json.dumps(raw, ensure_ascii=False)
    if len(text) > SHOWN_BYTES:
        rest = len(text) - SHOWN_BYTES
        more = _("… and %(count)s more characters") % {"count": rest}
        return mark_safe(f'{escape(visible(text[:SHOWN_BYTES]))}\n<span class="mut">{escape(more)}</span>')
    try:
        return mark_safe(_html(parse(text), 0))
    except (ValueError, RecursionError):
        return escape("\n".join(visible(line) for line in text.split("\n")))


def _html(value: Any, depth: int) -> str:
    if isinstance(value, Number):
        return f'<span class="n">{escape(value)}</span>'
    if isinstance(value, str):
        return f'<span class="s">{_string(value)}</span>'
    if value is None or isinstance(value, bool):
        return f'<span class="b">{json.dumps(value)}</span>'
    if not value:
        return f'<span class="p">{"{}" if isinstance(value, Pairs) else "[]"}</span>'
    opening, closing = ("{", "}") if isinstance(value, Pairs) else ("[", "]")
    if _width(value) <= LINE and depth:
        parts = '<span class="p">,</span> '.join(_members(value, depth))
        space = " " if opening == "{" else ""
        return f'<span class="p">{opening}</span>{space}{parts}{space}<span class="p">{closing}</span>'
    pad = "  " * (depth + 1)
    parts = '<span class="p">,</span>\n'.join(pad + part for part in _members(value, depth))
    return f'<span class="p">{opening}</span>\n{parts}\n{"  " * depth}<span class="p">{closing}</span>'


def _members(value: Any, depth: int) -> list[str]:
    if isinstance(value, Pairs):
        return [
            f'<span class="k">{_string(name)}</span><span class="p">:</span> {_html(member, depth + 1)}'
            for name, member in value
        ]
    return [_html(member, depth + 1) for member in value]


def _string(text: str) -> str:
    return escape(visible(json.dumps(text, ensure_ascii=False)))


def _width(value: Any) -> int:
    """How many characters `value` takes on one line; more than LINE once it is clear that it does not fit."""
    if isinstance(value, Pairs):
        total = 4
        for name, member in value:
            total += len(name) + 6 + _width(member)
            if total > LINE:
                break
        return total
    if isinstance(value, list):
        total = 2
        for member in value:
            total += 2 + _width(member)
            if total > LINE:
                break
        return total
    return len(value) + 2 if isinstance(value, str) else 5
