"""What holds for any JSON: bounds, round trips, merging, and proposals that accept what they were made of."""

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.schemas.shape import BYTES, Shape, drift, propose, propose_from_example, seen
from catalog.schemas.shape.formats import FORMATS, _engine, format_of
from catalog.schemas.shape.node import PATHS, RESERVE
from catalog.schemas.validator import compile_schema
from tests.unit.catalog.shape.test_shape import shape_of

SAMPLES = st.sampled_from(
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31",
        "12:00:00Z",
        "P1D",
        "123e4567-e89b-12d3-a456-426614174000",
        "someone@example.com",
        "10.0.0.1",
        "::1",
        "https://example.com",
        "new",
        "paid",
        "",
    ]
)
NAMES = st.one_of(
    st.sampled_from(["type", "kind", "id", "a", "b", "c", "[]", "{}", "a@b"]),
    st.integers(0, 400).map(lambda n: f"k{n}"),
    st.text(max_size=5),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    SAMPLES,
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=20,
)
EVENTS = st.one_of(
    st.lists(VALUES, min_size=1, max_size=12),
    # Few shapes, often: what makes enums, required members, maps and alternatives.
    st.lists(st.dictionaries(NAMES, SCALARS, max_size=5), min_size=1, max_size=4).flatmap(
        lambda few: st.lists(st.sampled_from(few), min_size=60, max_size=90)
    ),
)


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.sampled_from([1, 3, 50]))
def test_every_event_fits_the_proposal_made_from_it(values, min_samples):
    proposal = propose(shape_of(values), min_samples=min_samples)
    validator = compile_schema(proposal.text)
    for value in values:
        assert validator.errors(value) == [], proposal.text


@settings(max_examples=40, deadline=None)
@given(EVENTS)
def test_every_event_fits_the_proposal_after_storing_and_merging(values):
    one, other = shape_of(values[::2]), shape_of(values[1::2])
    merged = Shape.from_json(one.to_json())
    merged.merge(Shape.from_json(other.to_json()))
    validator = compile_schema(propose(merged, min_samples=3).text)
    for value in values:
        assert validator.errors(value) == []


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_an_example_fits_the_proposal_made_from_it(value):
    assert compile_schema(propose_from_example(value).text).errors(value) == []


@settings(max_examples=40, deadline=None)
@given(EVENTS, EVENTS)
def test_every_event_fits_a_base_amended_for_it(before, after):
    base = propose(shape_of(before), min_samples=3).text
    amended = propose(shape_of([*before, *after]), min_samples=3, base=base).text
    validator = compile_schema(amended)
    if '"oneOf"' in amended:
        return  # alternatives are left to a person
    for value in [*before, *after]:
        assert validator.errors(value) == [], (base, amended)


@settings(max_examples=40, deadline=None)
@given(EVENTS, EVENTS, EVENTS)
def test_merging_is_adding_in_any_order_and_grouping(one, two, three):
    whole = shape_of([*one, *two, *three])
    left, right = shape_of(two), shape_of(one)
    left.merge(shape_of(one))
    left.merge(shape_of(three))
    tail = shape_of(two)
    tail.merge(shape_of(three))
    right.merge(tail)
    if whole.root.size() < 60:  # below every bound
        assert left == right == whole
    assert left.samples == right.samples == whole.samples


@settings(max_examples=40, deadline=None)
@given(EVENTS)
def test_a_shape_survives_storing(values):
    shape = shape_of(values)
    text = shape.to_json()
    again = Shape.from_json(text)
    assert again == shape
    assert again.to_json() == text
    assert propose(again).text == propose(shape).text


HOSTILE_NAMES = st.one_of(
    st.text(max_size=70), st.integers(0, 10**6).map(str), st.just("\ud800"), st.just("\x00")
)
HOSTILE = st.recursive(
    st.one_of(
        st.floats(),
        st.integers(min_value=-(2**2000), max_value=2**2000),
        st.text(st.characters(), max_size=90),
        st.integers(0, 10**9).map(lambda n: {f"n{n + m}": {f"m{n * m}": f"v{n}{m}" * 5} for m in range(40)}),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(HOSTILE_NAMES, inner, max_size=3)),
    max_leaves=12,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=30))
def test_whatever_comes_the_size_is_bounded_and_everything_can_be_read(values):
    shape = shape_of(values)
    assert shape.root.size() <= PATHS + RESERVE + 1
    text = shape.to_json()
    assert len(text.encode()) <= BYTES
    assert Shape.from_json(text).samples == len(values)
    proposal = propose(shape, min_samples=1)
    compile_schema(proposal.text)
    for row in seen(shape):
        assert len(row.examples) <= 3
        assert 0 <= row.share <= 1
    drift(shape, proposal.schema)


@settings(max_examples=40, deadline=None)
@given(EVENTS)
def test_events_have_not_drifted_from_their_own_proposal(values):
    shape = shape_of(values)
    found = drift(shape, propose(shape, min_samples=3).schema, min_samples=1)
    assert found.mistyped == []
    assert found.unsent == []
    assert all(not row.new for row in found.values)


ENGINES = {name: _engine(name) for name in FORMATS}
TEXTS = st.one_of(
    st.from_regex(r"[0-9T:.Z+-]{1,25}", fullmatch=True),
    st.from_regex(r"P[0-9YMDTHS]{1,8}", fullmatch=True),
    st.from_regex(r"[0-9a-f:.]{2,40}", fullmatch=True),
    st.uuids().map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.dates().map(str),
    st.ip_addresses().map(str),
    st.emails(),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_the_cheap_look_at_a_text_finds_every_format_the_engine_finds(text):
    found = format_of(text)
    by_engine = {name for name in FORMATS if ENGINES[name](text)} - {"uri"}
    assert found in by_engine or not by_engine
    if found:
        assert ENGINES[found](text)
