"""Which events travel together, and how long they wait for others. Pure; seconds by a clock that only grows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from delivery.runner.items import Item
from delivery.runner.policy import Batching


class Batcher:
    """One target's batches. `ordered`: it takes a batch in its order, so several events of a chain may travel in one.

    Else a batch holds one event of each chain at most: were an earlier one refused and a later one taken, nothing could
    undo that. What is cleared holds the heads of chains only, so that needs no bookkeeping.
    """

    def __init__(self, batching: Batching, most: int, ordered: bool) -> None:
        """`most`: how many events the connector takes at once."""
        self.count = min(batching.count, most)
        self.size = batching.size
        self._wait = batching.wait
        self._ordered = ordered
        self._since: float | None = None

    def due_in(self, cleared: deque[Item], busy: Mapping[int, deque[Item] | None], now: float) -> float:
        """Seconds until a batch goes: 0 when it is full or has waited long enough, or nothing can come to join it."""
        if not cleared:
            self._since = None
            return self._wait
        if self._since is None:
            self._since = now
        if len(cleared) >= self.count or self._is_full(cleared, busy):
            return 0.0
        return max(0.0, self._since + self._wait - now)

    def _is_full(self, cleared: deque[Item], busy: Mapping[int, deque[Item] | None]) -> bool:
        if self._ordered:
            return sum(1 + len(busy[item.chain] or ()) for item in cleared) >= self.count
        # Where every chain has more behind, order and not the lack of events keeps the batch small.
        return all(busy[item.chain] for item in cleared)

    def gone(self) -> None:
        """A batch went: what is left or comes waits anew."""
        self._since = None

    def pick(
        self,
        cleared: deque[Item],
        busy: Mapping[int, deque[Item] | None],
        most: int,
        allowed: Callable[[], bool],
        size_of: Callable[[Item], int | None],
    ) -> Iterator[Item]:
        """Takes up to `most` events out of `cleared`, in order; followers stay in `busy` until their head is accounted for.

        `allowed` is asked for each. `size_of`: bytes, or None for one that cannot be sent, which takes no room.
        """
        left, room = min(self.count, most), self.size
        first = True
        while cleared and left:
            size = size_of(cleared[0])
            if size is None:
                yield cleared.popleft()
                continue
            if (size > room and not first) or not allowed():
                return
            head = cleared.popleft()
            yield head
            first, left, room = False, left - 1, room - size
            for follower in list(busy[head.chain] or ()) if self._ordered else ():
                size = size_of(follower) if left and follower.flight is not None else None
                if size is None or size > room or not allowed():
                    break
                yield follower
                left, room = left - 1, room - size
