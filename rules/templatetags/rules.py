"""Small filters for the pages of rules and deliveries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import template

from rules.method_words import word
from rules.sending import label_of

register = template.Library()


@register.filter
def at(table: Mapping[Any, Any] | None, key: Any) -> Any:
    """The value of `key` in a table; None when it is not there."""
    return table.get(key) if table else None


@register.filter
def as_json(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def send_label(kind: str) -> str:
    """What a way to send is called."""
    return label_of(kind or "complete")


@register.filter
def method_word(method: str) -> str:
    """A row's method in words."""
    return word(method)
