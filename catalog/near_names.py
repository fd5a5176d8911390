"""Which registered names somebody may have meant. Bounded, because anybody can send names that nobody registered."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

SHOWN = 3
# Names looked at closely, and how alike they must be (difflib's ratio).
LOOKED_AT, ALIKE = 100, 0.75
# How much less alike than the best a name may be to be shown beside it.
NEARLY = 0.08
LONGEST = 255
SEPARATORS = re.compile(r"[._:/-]+")


class Names:
    """Finds names by the words between their dots, and by how they begin."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_word: dict[str, list[str]] = {}
        for name in names:
            for word in _words(name):
                self._by_word.setdefault(word, []).append(name)
        self._near = lru_cache(maxsize=1024)(self._look)

    def near(self, asked: str) -> tuple[str, ...]:
        """At most three names like `asked`, the most alike first."""
        return self._near(asked) if len(asked) <= LONGEST else ()

    def _look(self, asked: str) -> tuple[str, ...]:
        shared: dict[str, float] = {}
        for word in _words(asked):
            names = self._by_word.get(word, [])
            # A rare word tells more, and what many names have in common need not be looked through.
            for name in names[:LOOKED_AT]:
                shared[name] = shared.get(name, 0.0) + 1 / len(names)
        closest = sorted(shared, key=lambda name: (-shared[name], abs(len(name) - len(asked)), name))
        wanted = asked.lower()
        rated = (
            (difflib.SequenceMatcher(None, name.lower(), wanted).ratio(), name)
            for name in closest[:LOOKED_AT]
        )
        alike = sorted((one for one in rated if one[0] >= ALIKE), key=lambda one: (-one[0], one[1]))
        return tuple(name for ratio, name in alike[:SHOWN] if ratio > alike[0][0] - NEARLY)


def _words(name: str) -> set[str]:
    """The words of a name in lower case, and how each begins, marked with ^."""
    words = [word for word in SEPARATORS.split(name.lower()) if word][:20]
    return {*words, *(f"^{word[:3]}" for word in words)}
