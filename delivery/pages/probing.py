"""What the editor may count for somebody: a filter or a contract must not become a question about values hidden from them.

Past events are tried as the person may see them, so no count tells of a hidden value, whatever is asked and in which
language. Where a condition asks for such a value, nothing is counted at all: counts of masks would only mislead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from delivery.pages.samples import Sample, Seen
from delivery.pages.veil import hidden_for, hides, veiled
from rules.draft import Draft
from rules.pattern_text import our_path


def seen_by(user: Any, events: Sequence[Seen]) -> tuple[list[Seen], tuple[str, ...]]:
    """`events` as `user` may see them, and the paths of personal fields that are hidden in them."""
    hidden = hidden_for(user, events)
    paths = tuple(dict.fromkeys(path for found in hidden.values() for path in found))
    return [veiled(one, hidden[one.type]) if one.type in hidden else one for one in events], paths


def sample_for(user: Any, found: Sample) -> tuple[Sample, tuple[str, ...]]:
    """The same of a sample."""
    events, paths = seen_by(user, found.events)
    return found._replace(events=events), paths


def rows_asking(draft: Draft, paths: Sequence[str]) -> frozenset[int]:
    """The places of the conditions that ask for one of `paths`."""
    if draft.mode != "rows":
        return frozenset()
    return frozenset(at for at, row, _problems in draft.lines if hides(our_path(row.path), paths))


def asks(draft: Draft, paths: Sequence[str]) -> bool:
    """Whether the filter asks for one of `paths`. Of expressions it is enough that they name the field."""
    if not paths:
        return False
    if any(hides(our_path(path), paths) for path in _places(draft.pattern or {})):
        return True
    return _names_one(f"{draft.sql}\n{draft.filters_text}", paths)


def _places(pattern: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths that a pattern has conditions on, those of alternatives among them."""
    for name, wanted in pattern.items():
        if name.startswith("$"):
            for one in wanted if isinstance(wanted, list) else [wanted]:
                if isinstance(one, Mapping):
                    yield from _places(one, above)
        elif isinstance(wanted, Mapping):
            yield from _places(wanted, (*above, name))
        else:
            yield ".".join((*above, name))


def _names_one(text: str, paths: Sequence[str]) -> bool:
    """Whether `text` holds the last name of one of `paths`, in any case."""
    folded = text.casefold()
    for path in paths:
        names = [part for part in re.split(r"[./\[\]{}*]+", path) if part]
        if folded.strip() and (not names or names[-1].casefold() in folded):
            return True
    return False
