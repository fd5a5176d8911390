"""Filters of the Subscriptions API do what a plain reading of them does, and their conditions exclude nothing of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine import Event
from rules.engine.subscriptions import parse_filters, validate_filters
from rules.engine.subscriptions_explanation import explain_filters
from tests.unit.engine import naive_cesql
from tests.unit.engine.cesql_strategies import VALUES, filters_of_sql

names = st.sampled_from(["a", "b", "type"])
texts = st.sampled_from(["x", "xy", "y", "true", "e", "t", "1", "-", "-1", "12", "2147483648"])
compared = st.tuples(
    st.sampled_from(["exact", "prefix", "suffix"]), st.dictionaries(names, texts, min_size=1, max_size=2)
).map(lambda pair: {pair[0]: pair[1]})
filters = st.recursive(
    compared | filters_of_sql.map(lambda text: {"sql": text}),
    lambda inner: (
        st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda pair: {pair[0]: pair[1]}
        )
        | inner.map(lambda one: {"not": one})
    ),
    max_leaves=6,
).filter(lambda one: not validate_filters([one]))


@settings(max_examples=600)
@given(st.lists(filters, max_size=2), st.dictionaries(names, st.sampled_from(VALUES)))
def test_filters_do_what_a_plain_reading_does_and_no_condition_excludes_what_they_take(
    written, attributes
) -> None:
    compiled = parse_filters(written)
    event = Event(attributes, None)
    takes = all(naive_cesql.filter_takes(one, attributes) for one in written)
    assert compiled.holds(event) is takes
    explanation = explain_filters(compiled, event)
    assert explanation.matched is takes
    assert (explanation.failed is None) is takes
    if takes:
        branches = compiled.branches()
        assert any(all(naive_cesql.meets(atom, attributes) for atom in branch) for branch in branches), (
            branches
        )


def test_every_comparison_meets_its_own_conditions() -> None:
    for dialect in ("exact", "prefix", "suffix"):
        for text in ["x", "xy", "y", "true", "e", "t", "1", "-", "-1", "12", "2147483648", "%", "_", "\\"]:
            compiled = parse_filters([{dialect: {"a": text}}])
            [branch] = compiled.branches()
            for value in [*VALUES, text, text + "z", "z" + text]:
                if compiled.holds(Event({"a": value}, None)):
                    assert all(naive_cesql.meets(atom, {"a": value}) for atom in branch), (
                        dialect,
                        text,
                        value,
                    )
