"""Takes what has become personal out of what was noted before: shapes of past days and samples of violations."""

from __future__ import annotations

from collections.abc import Callable

from catalog.models import EventType, Observation, Stamp, Violation
from catalog.schemas.shape import Shape, StoredShapeUnreadable
from catalog.schemas.shape.paths import sensitive_pointer
from catalog.stamps import CATALOG
from delivery.ingest.samples import masked


class Scrubber:
    """Looks once when it is new, and again whenever the catalog has changed. For one thread at a time."""

    def __init__(self) -> None:
        self._version = -1

    def scrub(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Scrubs all rows of types that have personal fields; returns how many had to be changed."""
        version = Stamp.objects.filter(name=CATALOG).values_list("version", flat=True).first() or 0
        if version == self._version:
            return 0
        changed = 0
        for name, personal in EventType.objects.exclude(personal=[]).values_list("name", "personal"):
            if stop():
                return changed
            paths = [path for path in personal if isinstance(path, str)]
            changed += _shapes(name, paths) + _samples(name, paths)
        self._version = version
        return changed


def _shapes(name: str, paths: list[str]) -> int:
    sensitive = {sensitive_pointer(path) for path in paths}
    changed = 0
    for pk, text in Observation.objects.filter(type_name=name).values_list("pk", "shape"):
        try:
            before = Shape.from_json(text)
        except StoredShapeUnreadable:
            continue
        if not sensitive <= before.sensitive:
            whole = Shape(sensitive)
            whole.merge(before)
            # Unless the observer has written it meanwhile: it knows the new paths or comes by again.
            changed += Observation.objects.filter(pk=pk, shape=text).update(shape=whole.to_json())
    return changed


def _samples(name: str, paths: list[str]) -> int:
    changed = 0
    for pk, text in Violation.objects.filter(type_name=name).exclude(sample="").values_list("pk", "sample"):
        sample = masked(text, paths)
        if sample != text:
            changed += Violation.objects.filter(pk=pk, sample=text).update(sample=sample)
    return changed
