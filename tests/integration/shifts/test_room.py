"""Targets share the files that a process may open."""

from __future__ import annotations

import pytest

from delivery.connectors.http.target import HTTPTarget
from delivery.runner import shift
from tests.events import a_target
from tests.integration.sink import Sink, on_duty, publish, rows

PLACES, TARGETS, EVENTS = 3, 6, 20


def test_many_targets_share_few_places_and_all_are_served(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "most_sends", lambda: PLACES)
    first = a_target(f"{sink.url}0", order="none")
    targets = [first] + [
        a_target(f"{sink.url}{number}", rule=first.rule, name=f"t{number}", order="none")
        for number in range(1, TARGETS)
    ]
    assert HTTPTarget.max_in_flight > PLACES
    sink.answer = lambda path, name, subject, times: (200, 0.005)
    publish([target.pk for target in targets], *[(f"e{n}", f"k{n}") for n in range(EVENTS)])
    with on_duty():
        sink.wait_for(EVENTS)
        for number in range(TARGETS):
            sink.wait_for_path(f"/{number}", EVENTS)
    assert rows("SELECT count(*) FROM attempt WHERE outcome <> 1") == [(0,)], (
        "nobody failed for want of a place"
    )
    # What rests makes room for what is opened; the sink may hear of the end of some a moment later.
    assert sink.most_connected <= 2 * PLACES < TARGETS * min(HTTPTarget.max_in_flight, EVENTS)
    # In turn, not one target after the other: each had its first before any had its last.
    paths = [seen.path for seen in sink.seen]
    begun = max(paths.index(f"/{number}") for number in range(TARGETS))
    done = min(len(paths) - 1 - paths[::-1].index(f"/{number}") for number in range(TARGETS))
    assert begun < done
