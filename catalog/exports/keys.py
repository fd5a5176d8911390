"""Keys for names that another format does not allow as they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

# AsyncAPI 3.0 and OpenAPI 3.1: keys below `components`.
COMPONENT = re.compile(r"[^A-Za-z0-9._-]")
# xRegistry 1.0-rc4, ids: at most 128 characters, compared without case.
XREGISTRY = re.compile(r"[^A-Za-z0-9._~:@-]")
XREGISTRY_LENGTH = 128


def keys(
    names: Sequence[str], refused: re.Pattern[str] = COMPONENT, longest: int = 255, fold: bool = False
) -> list[str]:
    """A key for each of `names`, all different; with `fold` also when case does not count.

    A name that is allowed is its own key. In another one every refused character becomes "_", and what tells it from
    its neighbours (8 hex digits of its SHA-256) stands at the end, so a key depends little on what else is there.
    """
    taken: set[str] = set()
    found: dict[int, str] = {}
    for index, name in enumerate(names):
        key = name.lower() if fold else name
        if name and len(name) <= longest and not refused.search(name) and key not in taken:
            taken.add(key)
            found[index] = name
    for index, name in enumerate(names):
        if index in found:
            continue
        digest = hashlib.sha256(name.encode()).hexdigest()
        for length in range(8, len(digest) + 1):
            key = f"{refused.sub('_', name)[: longest - length - 1]}-{digest[:length]}"
            if (key.lower() if fold else key) not in taken:
                break
        else:
            raise ValueError(f"The name {name!r} stands twice.")
        taken.add(key.lower() if fold else key)
        found[index] = key
    return [found[index] for index in range(len(names))]
