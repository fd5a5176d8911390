"""The button that follows an event type, a source or a team: `{% load following %}{% follow_button "type" type.name %}`."""

from __future__ import annotations

from typing import Any

from django import template

from catalog.models import Follow

register = template.Library()


@register.inclusion_tag("catalog/changes/follow_button.html", takes_context=True)
def follow_button(context: template.Context, kind: str, key: str) -> dict[str, Any]:
    """The button for the person who looks at the page; `key` as in Follow. Costs one query."""
    request = context["request"]
    found = Follow.objects.filter(user=request.user.pk, kind=kind, key=key).first()
    return {
        "kind": kind,
        "key": key,
        "following": found is not None,
        "mail": found is not None and found.mail,
        "back": request.POST.get("next") or request.get_full_path(),
        "csrf_token": context.get("csrf_token"),
    }
