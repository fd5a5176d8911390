"""The map as a test reads it: nodes and cells out of its pages, and what flows."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from tests.integration import rows as write
from tests.integration.deliveries.billing import text


def count_source(uri: str, name: str, events: int) -> None:
    write.execute(
        "INSERT INTO rollup_source (source, type, slot, events, first_at, last_at) VALUES (%s, %s, %s, %s, 1, 1)",
        uri, name, write.now() // 600_000_000, events,
    )  # fmt: skip


def read() -> Any:
    from delivery.tracking import topology

    return topology.reader.read()


def links(answer: Any) -> dict[str, ElementTree.Element]:
    """The nodes of the drawing by key."""
    drawing = re.search(r'<svg class="topo".*?</svg>', text(answer), re.S)
    assert drawing, "there is no drawing"
    return {link.get("id", ""): link for link in ElementTree.fromstring(drawing[0]).iter("a")}


def lit(answer: Any) -> set[str]:
    return {key for key, link in links(answer).items() if "dim" not in link.get("class", "").split()}


def table(answer: Any) -> list[list[str]]:
    """The words of each cell of the table."""
    found = re.search(r"<tbody>(.*?)</tbody>", text(answer), re.S)
    assert found
    plain = [
        re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", found[1], re.S)
    ]
    rows = [[re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in plain]
    # How many a minute depends on the second of the minute at which one looks.
    return [[name, rate if rate in ("", "0") else "some", *others] for name, rate, *others in rows]
