"""What the editor's form sends, for the tests of its pages."""

from __future__ import annotations

from typing import Any

from catalog.models import Bus, Team
from rules.models import Rule

SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}, "zip": {"type": "string"}}}


def form(town: Bus, **values: Any) -> dict[str, Any]:
    """What the subscribe form sends."""
    return {
        "name": "Orders to me",
        "bus": town.pk,
        "team": Team.objects.get(slug="shop").pk,
        "type": ["order.placed"],
        "mode": "rows",
        "path": ["data.total"],
        "method": ["is"],
        "values": ["12, 13"],
        "send": "complete",
        "deliver": "place:bin",
        "target-name": "My bin",
        "do": "start",
    } | values


def changed(town: Bus, saved: Rule, **values: Any) -> dict[str, Any]:
    """What the editor of the saved rule sends after its filter was changed."""
    return form(
        town,
        **{
            "name": "Large orders",
            "path": ["data.zip"],
            "values": ["12345"],
            "deliver": "connector:http",
            "config-http-url": "http://127.0.0.1:8999/hook",
            "config-http-headers": "Authorization: ••••",
            "target-name": "Billing",
            "do": "save",
        }
        | values,
    )
