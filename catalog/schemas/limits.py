"""How much a person may paste: looked at before anything else is done with it."""

from __future__ import annotations

from typing import Any

SCHEMA_BYTES = 256 * 1024
DOCUMENT_BYTES = 2 * 1024 * 1024
# Objects and arrays within each other.
LEVELS = 64
# Objects, arrays and plain values together; YAML aliases count as often as they are used.
NODES = 50_000
# Names of event types. CloudEvents 1.0 §3.1.1 takes any text that is not empty; we want names that read well in a URL. A
# space is taken because AWS has it in its own ("EC2 Instance State-change Notification"); two in a row nobody sees.
TYPE_NAME = r"^(?!.*  )[A-Za-z0-9](?:[A-Za-z0-9._:/ -]{0,253}[A-Za-z0-9])?$"


def too_many_bytes(text: str, allowed: int, what: str = "document") -> str | None:
    """The sentence when `text` has more than `allowed` bytes in UTF-8, else None."""
    size = len(text) if len(text) > allowed else len(text.encode("utf-8", "surrogatepass"))
    if size <= allowed:
        return None
    return f"The {what} has {size:,} bytes. At most {allowed:,} are allowed."


def too_many_nodes(value: Any, what: str = "document") -> str | None:
    """The sentence when parsed JSON has more than NODES values, else None."""
    if nodes(value, NODES) > NODES:
        return f"The {what} has more than {NODES:,} values. Leave out what is not needed."
    return None


def nodes(value: Any, most: int) -> int:
    """How many objects, arrays and plain values parsed JSON has; stops counting above `most`."""
    seen, todo = 0, [value]
    while todo and seen + len(todo) <= most:
        item = todo.pop()
        seen += 1
        if isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return seen + len(todo)
