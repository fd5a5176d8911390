"""The atoms of the console's pages: icons, statuses, badges, numbers, times, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import lucide
from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.display import json_text, sparkline, words
from catalog.display.markdown import markdown as markdown_html
from catalog.languages.telling import told
from catalog.models import HUES, Domain
from catalog.schemas.shape.notes import share_of

register = template.Library()

STATUSES = frozenset({"ok", "warn", "bad", "idle", "busy"})


@lru_cache(maxsize=512)
def _icon(name: str, size: int) -> SafeString:
    return mark_safe(lucide._render_icon(name, size, stroke_width="1.75", aria_hidden="true"))


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """Lucide icon `name` as inline SVG of `size` pixels, hidden from screen readers: a word stands beside it."""
    return _icon(str(name), int(size))


@register.simple_tag
def status(kind: str, word: Any, pill: bool = False) -> SafeString:
    """A status: shape, colour and `word`. `kind` is ok, warn, bad, idle or busy."""
    if kind not in STATUSES:
        raise template.TemplateSyntaxError(
            f"{kind!r} is no status; use one of {', '.join(sorted(STATUSES))}."
        )
    return format_html('<span class="st {}{}">{}</span>', kind, " pill" if pill else "", word)


@register.simple_tag
def domain_badge(domain: Domain | None, lg: Any = False) -> SafeString:
    """The two letters of `domain` in its colour; nothing but a grey dash without a domain. `lg` makes it large."""
    size = " lg" if lg else ""
    if domain is None:
        return format_html('<span class="lb{}" title="{}">–</span>', size, _("Not in the catalog"))
    return format_html(
        '<span class="lb{} hue-{}" title="{}">{}</span>', size, domain.hue % HUES, domain.name, domain.badge
    )


@register.simple_tag
def ago(value: datetime | int | None) -> SafeString:
    """How long ago `value` was (datetime, or microseconds since 1970), kept current in the browser."""
    if value is None:
        return format_html('<span class="faint">{}</span>', _("never"))
    return format_html(
        '<time-ago><time datetime="{}" title="{}">{}</time></time-ago>',
        words.moment(value).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        words.exact(value),
        words.ago(value),
    )


@register.simple_tag
def due(value: datetime | int) -> SafeString:
    """How long until `value`: "in 5 minutes", and "now" once it has come."""
    passed = _("now")
    return format_html(
        '<time-ago data-passed="{}"><time datetime="{}" title="{}">{}</time></time-ago>',
        passed,
        words.moment(value).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        words.exact(value),
        passed if words.moment(value) <= timezone.now() else words.ago(value),
    )


@register.simple_tag
def number(value: float | None) -> SafeString:
    """`value` with groups and tabular figures: 1,334, 3.1, 1.92 million (192 万)."""
    return format_html('<span class="num">{}</span>', words.number(value))


@register.simple_tag
def rate(value: float) -> SafeString:
    """Per minute: 84/min."""
    return format_html('<span class="num">{}</span>', words.rate(value))


@register.simple_tag
def duration(milliseconds: float | None) -> SafeString:
    """38 ms, 1.2 s, 13 min."""
    return format_html('<span class="num">{}</span>', words.duration(milliseconds))


@register.simple_tag
def spark(values: Sequence[float], hue: int | None = None, label: Any = "") -> SafeString:
    """A sparkline of `values`, oldest first, in a domain's `hue`; `label` says what it shows."""
    return sparkline.spark(values, hue, str(label))


@register.simple_tag
def json_view(raw: Any, label: Any = "", id: str = "") -> SafeString:
    """A scrollable well with `raw` (JSON bytes, JSON text or a value) coloured and escaped; `id` for a copy button."""
    return format_html(
        '<pre class="code pad"{} tabindex="0" role="region" aria-label="{}">{}</pre>',
        format_html(' id="{}"', id) if id else "",
        label or _("JSON"),
        json_text.highlight(raw),
    )


@register.filter
def visible(text: Any) -> str:
    """Text from events with its invisible and direction-changing characters written as escapes.

    What the engines say of an event is told in the page's language.
    """
    return json_text.visible(told(text) if isinstance(text, str) else str(text))


@register.filter
def breakable(name: Any) -> SafeString:
    """The name of a type as HTML that may break after each dot, so that a long one wraps between its words."""
    return mark_safe(conditional_escape(name).replace(".", ".<wbr>"))


@register.filter
def share(part: float) -> str:
    """`2 %` of 0.02; never 0 % of something nor 100 % of less than all."""
    return share_of(round(part * 1_000_000), 1_000_000)


@register.filter
def markdown(text: Any) -> SafeString:
    """Documentation in Markdown as safe HTML."""
    return markdown_html(str(text or ""))
