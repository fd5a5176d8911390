"""Changes as an Atom feed (RFC 4287)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from xml.etree import ElementTree as ET

from catalog.following.telling import Told

NAMESPACE = "http://www.w3.org/2005/Atom"
CONTENT_TYPE = "application/atom+xml; charset=utf-8"
# What XML 1.0 §2.2 has no way to write.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def feed(
    rows: Sequence[Told],
    *,
    title: str,
    subtitle: str,
    address: str,
    updated: datetime,
    absolute: Callable[[str], str],
    self_address: str | None = None,
) -> bytes:
    """The feed as UTF-8 bytes, newest first. `address`: the page for people, `absolute`: a path as a whole address.

    `self_address` is where the feed itself is; left out when that address is a secret. The feed's id follows from
    `address` and `title`, so they should stay.
    """
    root = ET.Element("feed", {"xmlns": NAMESPACE})
    _text(root, "id", uuid.uuid5(uuid.NAMESPACE_URL, f"{address}#{title}").urn)
    _text(root, "title", title)
    _text(root, "subtitle", subtitle)
    _text(root, "updated", _moment(updated))
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": address})
    if self_address is not None:
        ET.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": self_address})
    _text(ET.SubElement(root, "author"), "name", "Signalbox")
    _text(root, "generator", "Signalbox")
    for one in rows:
        entry = ET.SubElement(root, "entry")
        _text(entry, "id", one.change.key.urn)
        _text(entry, "title", one.title)
        _text(entry, "updated", _moment(one.change.at))
        _text(entry, "published", _moment(one.change.at))
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": absolute(one.path)})
        ET.SubElement(entry, "category", {"term": one.change.kind})
        if one.change.by:
            _text(ET.SubElement(entry, "author"), "name", one.change.by)
        _text(entry, "summary", "\n".join([one.title, *one.remarks]))
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(
        root, encoding="utf-8", xml_declaration=False
    )


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = FORBIDDEN.sub("\ufffd", text)


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
