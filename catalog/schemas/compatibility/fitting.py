"""A value that a schema accepts, worked out of the schema alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from catalog.schemas.compatibility.budget import Budget, Exhausted
from catalog.schemas.compatibility.merging import Merger
from catalog.schemas.compatibility.normal import Unsupported, normal, with_dialect
from catalog.schemas.compatibility.reading import Document
from catalog.schemas.compatibility.sampling import Sampler

SECONDS = 0.3
VALUES = 24


def likely_values(
    schema: Any, seconds: float = SECONDS, clock: Callable[[], float] = time.thread_time
) -> Iterator[Any]:
    """At most VALUES values that `schema` (parsed, any draft) probably accepts, the plainest first. Validate them.

    Ends early after `seconds` of this thread by `clock`, and for schemas that cannot be merged.
    """
    budget = Budget(seconds, clock)
    try:
        document = Document(normal(with_dialect(schema), "s", budget))
        merged = Merger(document, closing=False, budget=budget).merged()
        yield from islice(Sampler(merged, budget).values(merged.root), VALUES)
    except (Exhausted, Unsupported, RecursionError, KeyError):
        return
