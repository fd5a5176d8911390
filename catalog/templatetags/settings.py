"""The sub-navigation of the settings, and words of members and audit records."""

from __future__ import annotations

from typing import Any

from django import template

from catalog import roles
from catalog.navigation import settings_for

register = template.Library()


@register.simple_tag(takes_context=True)
def settings_places(context: Any) -> list[dict[str, Any]]:
    """The pages of the settings that the person may open; the one that is shown is `current`."""
    request = context["request"]
    here = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {
            "page": place.page,
            "label": place.label,
            "current": here == place.page,
            "within": here in place.below,
        }
        for place in settings_for(request.user)
    ]


@register.filter
def role(name: str | None) -> str:
    """What people call a role."""
    return roles.label(name)


@register.filter
def role_of(user: Any) -> str:
    """What people call the role of `user`."""
    return roles.label(roles.role_of(user))
