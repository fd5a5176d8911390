"""What a page may watch, and the permission that each topic needs."""

from __future__ import annotations

import re

from delivery.pages.stretch import RANGES

NEEDED = {
    "wire": "catalog.view_eventtype",
    "rate": "catalog.view_eventtype",
    "deliveries": "rules.view_target",
    "target": "rules.view_target",
    "summary": "rules.view_target",
    "bin": "delivery.view_requestbin",
    "dead-letters": "rules.view_target",
}
NUMBER = "[0-9]{1,18}"
TOPIC = re.compile(
    rf"wire|rate|dead-letters|deliveries(?::failed|:{NUMBER})?|(?:target|bin):{NUMBER}|"
    rf"summary:(?:{'|'.join(RANGES)})(?::{NUMBER})?"
)


def needed_for(topic: str) -> str | None:
    """The permission that watching `topic` needs; None for no topic at all."""
    return NEEDED[topic.partition(":")[0]] if TOPIC.fullmatch(topic) else None
