"""The dialogs that every page has: the palette and the list of keys."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from django import template
from django.utils.safestring import SafeString

from catalog.palette.entries import Asked
from catalog.palette.entries import marked as with_marks
from catalog.palette.keys import keys_for
from catalog.palette.places import deeds_for, pages_for

register = template.Library()


@register.inclusion_tag("catalog/palette/dialogs.html", takes_context=True)
def palette_dialogs(context: Any) -> dict[str, Any]:
    """Both dialogs with what the person may do; nothing for who is not signed in."""
    user = getattr(context.get("request"), "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "person": _person(user),
        "pages": pages_for(user),
        "deeds": deeds_for(user),
        "keys": keys_for(user),
    }


def _person(user: Any) -> str:
    """Under which name the browser keeps what was chosen lately: another one once the person may see other things."""
    rights = "*" if user.is_superuser else ",".join(sorted(user.get_all_permissions()))
    return f"{user.pk}-{crc32(rights.encode()):08x}"


@register.simple_tag
def marked(text: Any, asked: Asked) -> SafeString:
    """`text` with the letters that were looked for marked."""
    return with_marks(str(text), asked.words)
