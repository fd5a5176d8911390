"""Says what the pure engines said in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext

from catalog.said import Said


def told(sentence: str) -> str:
    """`sentence` in the current language when it is one of `catalog.said`; any other text as it is."""
    return sentence.told(gettext) if isinstance(sentence, Said) else sentence


def in_language(text: str) -> str:
    """A text that was marked where it was written, such as the title of a setting, in the current language."""
    return gettext(text) if text else ""
