"""Sending a suspect alone: while it is under way, its process sends nothing else, so that a death has one cause.

A suspect waits until what is under way has ended, and after it the others go on for nine times as long as it took, so
that they keep nine tenths of their time. Where a shift is about to relieve another of its process, it waits for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from delivery.runner.items import Item
from delivery.runner.sending import Sender

REST = 9.0  # times as long as the others waited

_living: set[str] = set()  # shifts of this process
_holders: list[str] = []  # the one of them, if any, that sends alone


class Alone:
    """One shift's suspects. Its loop asks each round whose `turn` it is, and tells when the suspect is recorded."""

    def __init__(self, shift: str) -> None:
        self._shift = shift
        self._sender: Sender | None = None
        self._item: Item | None = None
        self._began = 0.0
        self.rests_until = 0.0
        _living.add(shift)

    def close(self) -> None:
        """The shift is over."""
        _living.discard(self._shift)
        self._give()

    def waits(self, senders: Mapping[int, Sender]) -> bool:
        """Whether a suspect waits for its turn, or is under way."""
        return self._item is not None or any(
            sender.progress.alone and not sender.quiet and sender.throttle.allows(0)
            for sender in senders.values()
        )

    def is_of(self, items: Sequence[Item]) -> bool:
        """Whether these are the suspect whose turn it is."""
        return self._item is not None and len(items) == 1 and items[0] is self._item

    def turn(self, senders: Mapping[int, Sender], now: float, leaving: bool) -> Sender | None:
        """Whose suspect is to be recorded and sent next; None when there is none, or others must end first."""
        if self._item is not None:
            if not self._is_over(senders):
                return None
            self._end(now)
        wants = None if leaving else _first(senders)
        others = [shift for shift in _holders if shift != self._shift]
        if others or wants is None or now < self.rests_until or len(_living) > 1:
            self._give()
            _hush(senders, bool(others))
            return None
        if not _holders:
            _holders.append(self._shift)
            self._began = now
        _hush(senders, True)
        return wants if all(sender.idle for sender in senders.values()) else None

    def begin(self, sender: Sender, now: float) -> Item:
        """The suspect of that sender, which is being recorded."""
        self._sender, self._item = sender, sender.progress.alone.popleft()
        sender.only = self._item
        return self._item

    def _is_over(self, senders: Mapping[int, Sender]) -> bool:
        sender, item = self._sender, self._item
        assert sender is not None
        assert item is not None
        if senders.get(sender.facts.id) is not sender:
            return True
        recorded = item.flight is not None
        return sender.idle and (sender.quiet or not recorded)

    def _end(self, now: float) -> None:
        assert self._sender is not None
        self._sender.only = None
        self._sender = self._item = None
        self.rests_until = now + REST * (now - self._began)
        self._give()

    def _give(self) -> None:
        if self._shift in _holders:
            _holders.remove(self._shift)


def _first(senders: Mapping[int, Sender]) -> Sender | None:
    """The first that has a suspect, and whose breaker lets it send: all others would wait for that, too."""
    return next(
        (
            sender
            for sender in senders.values()
            if sender.progress.alone and not sender.quiet and sender.throttle.allows(0)
        ),
        None,
    )


def _hush(senders: Mapping[int, Sender], waits: bool) -> None:
    for sender in senders.values():
        sender.waits = waits
