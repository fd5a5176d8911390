"""What the codec answers when it does not take an event."""

from __future__ import annotations


class Refused(Exception):
    """An event, or a whole batch, was not taken; nothing of it may be stored.

    `status` is the HTTP status that fits: 400 malformed, 413 too large, 415 a format we do not read.
    `index` is the place in a batch, counted from 0 (None outside a batch, or when the batch as a whole is wrong).
    `attribute` names the context attribute, header or member at fault (None when it is the event as a whole).
    `reason` is a sentence for a person: what is wrong and what would be right.
    """

    def __init__(
        self, reason: str, *, attribute: str | None = None, status: int = 400, index: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.attribute = attribute
        self.status = status
        self.index = index

    def __str__(self) -> str:
        place = [f"entry {self.index}"] if self.index is not None else []
        if self.attribute is not None:
            place.append(self.attribute)
        return f"{', '.join(place)}: {self.reason}" if place else self.reason


class UnsupportedFormat(Refused):
    """The content type announces something that is no event we can read; status 415."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, attribute="content-type", status=415)


def shown(value: object) -> str:
    """A value as an error message quotes it: printable ASCII only, at most 80 characters."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:76] + "…" + text[-1]
