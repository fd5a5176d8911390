"""What goes into a pack comes out as it was, and is found by its seq."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.http import Timings
from delivery.tracking import packing
from delivery.tracking.packing import MOST, SPAN, Plain

NOW = 1_764_000_000_000_000
microseconds = st.integers(0, 2**32 - 2)
phases = st.one_of(
    st.none(),
    st.builds(
        lambda times, reused: Timings(*(one / 1e6 for one in times), reused=reused),
        st.tuples(*[st.integers(0, 10_000_000)] * 4),
        st.booleans(),
    ),
)
attempts = st.lists(
    st.builds(
        Plain,
        st.integers(1, 30_000),
        st.integers(NOW, NOW + 10**10),
        microseconds,
        st.one_of(st.none(), st.integers(200, 299)),
        phases,
    ),
    unique_by=lambda one: one.seq,
    max_size=400,
)


def told(one: Plain) -> tuple[object, ...]:
    return one.seq, one.at, one.took, one.status, packing.phases_of(one.timings)


@settings(deadline=None)
@given(attempts)
def test_every_attempt_comes_out_as_it_went_in(made: list[Plain]) -> None:
    packs = packing.pack(made, 7, "a shift")
    found = [one for pack in packs for one in packing.unpack(pack.lo, pack.body)]
    assert {(one.revision, one.worker) for one in found} <= {(7, "a shift")}
    assert sorted((one.seq, one.at, one.took, one.status, one.phases) for one in found) == sorted(
        told(one) for one in made
    )


@settings(deadline=None)
@given(attempts)
def test_a_pack_spans_what_whoever_looks_for_an_event_reads(made: list[Plain]) -> None:
    for pack in packing.pack(made, 1, "a"):
        seqs = packing.seqs_of(pack.lo, pack.body)
        assert (pack.lo, pack.hi) == (seqs[0], seqs[-1])
        assert seqs == sorted(seqs)
        assert len(seqs) == packing.size_of(pack.body) <= MOST
        assert pack.hi - pack.lo < SPAN


@settings(deadline=None)
@given(attempts)
def test_merged_packs_hold_what_each_held(made: list[Plain]) -> None:
    near = [one._replace(seq=one.seq % 3000) for one in made[:100]]
    near = list({one.seq: one for one in near if one.at < NOW + 4 * 10**9}.values())
    if not near:
        return
    singles = [pack for one in near for pack in packing.pack([one], 3, "a")]
    merged = packing.merge([(pack.lo, pack.body) for pack in singles])
    before = sorted(one for pack in singles for one in packing.unpack(pack.lo, pack.body))
    assert sorted(packing.unpack(merged.lo, merged.body)) == before


@pytest.mark.parametrize(
    ("took", "status", "fits"),
    [(0, 200, True), (2**32 - 2, None, True), (2**32 - 1, 200, False), (-1, 200, False), (1, 65_536, False), (1, 0, False)],
)  # fmt: skip
def test_what_does_not_fit_is_told(took: int, status: int | None, fits: bool) -> None:
    assert packing.fits(took, status) == fits
