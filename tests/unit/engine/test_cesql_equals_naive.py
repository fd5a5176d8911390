"""Two ways to compute the same: compiled closures, and a plain walk over the tree."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.engine import Event
from rules.engine.cesql import parse
from rules.engine.cesql.like import LikePattern
from tests.unit.engine import naive_cesql
from tests.unit.engine.cesql_strategies import (
    NAMES,
    NUMBERS,
    PATTERNS,
    STRINGS,
    VALUES,
    attributes,
    expressions,
    filters_of_sql,
)


@settings(max_examples=400)
@given(expressions, attributes)
def test_a_compiled_expression_gives_what_a_walk_over_its_tree_gives(text, event) -> None:
    expression = parse(text)
    value, error = expression.evaluate(event)
    try:
        expected = naive_cesql.value(expression.tree, event)
    except naive_cesql.Wrong:
        assert error is not None
        assert text[error.start : error.end].strip()
    else:
        assert error is None
        assert (type(value), value) == (type(expected), expected)
    assert expression.holds(Event(event, None)) is (error is None and value is True)


SIMPLE = [
    *("{n} = {l}", "{l} = {n}", "{n} != {l}", "{n} LIKE '{p}'", "{n} NOT LIKE '{p}'", "{n} IN ({l}, 'x')"),
    *(
        "a IN ('x', 'xy', b)",
        "{n} IN ({l}, {n})",
        "{n} NOT IN ({l})",
        "EXISTS {n}",
        "{n} < {l}",
        "{n}",
        "{l}",
    ),
]


def excluded(text: str, event: dict[str, Any]) -> bool:
    """Whether the conditions of an expression exclude an event that it takes."""
    expression = parse(text)
    return expression.holds(Event(event, None)) and not any(
        all(naive_cesql.meets(atom, event) for atom in branch) for branch in expression.branches()
    )


def test_no_simple_condition_excludes_an_event_that_it_takes() -> None:
    """Every comparison of an attribute with a literal, LIKE, IN and EXISTS, against every value."""
    literals = [f"'{text}'" for text in STRINGS] + NUMBERS + ["TRUE", "FALSE"]
    texts = ["a", "EXISTS a", "EXISTS type", "type = ''"]
    for literal in literals:
        texts += [f"a = {literal}", f"{literal} = a", f"a IN ({literal})", f"a IN ('x', {literal})"]
    texts += [f"a LIKE '{pattern}'" for pattern in PATTERNS]
    taken = 0
    for text in [*texts, *(f"NOT ({text})" for text in texts), *(f"NOT ({text}) XOR TRUE" for text in texts)]:
        expression = parse(text)
        for value in VALUES:
            taken += expression.holds(Event({"a": value}, None))
            assert not excluded(text, {"a": value}), (text, value, expression.branches())
        assert not excluded(text, {}), text
    assert taken > 2000


def test_no_conditions_exclude_an_event_that_their_expression_takes() -> None:
    """Simple conditions combined in every way."""
    choose = random.Random(7)
    literals = [f"'{text}'" for text in STRINGS] + NUMBERS + ["TRUE", "FALSE"]

    def simple() -> str:
        name, literal, pattern = choose.choice(NAMES), choose.choice(literals), choose.choice(PATTERNS)
        form = choose.choice(SIMPLE)
        return form.format(n=name, l=literal, p=pattern)

    def combined(levels: int) -> str:
        if levels == 0:
            return simple()
        terms = [combined(levels - 1) for _ in range(choose.choice([1, 2, 2, 3]))]
        text = terms[0] if " " not in terms[0] else f"({terms[0]})"
        for term in terms[1:]:
            text += f" {choose.choice(['AND', 'OR', 'OR', 'XOR'])} ({term})"
        return choose.choice(["{}", "{}", "{}", "NOT ({})", "({}) = TRUE", "({}) != 'false'"]).format(text)

    taken = narrowed = 0
    for _ in range(3000):
        text = combined(choose.choice([1, 1, 2]))
        expression = parse(text)
        branches = expression.branches()
        for _ in range(6):
            event = {name: choose.choice(VALUES) for name in NAMES if choose.random() < 0.9}
            if expression.holds(Event(event, None)):
                taken += 1
                narrowed += all(branches)
                assert not excluded(text, event), (text, event, branches)
    assert taken > 2000
    assert narrowed > 1000


@settings(max_examples=400)
@given(expressions, attributes)
def test_no_conditions_of_any_expression_exclude_an_event_that_it_takes(text, event) -> None:
    assert not excluded(text, event), parse(text).branches()


@settings(max_examples=500)
@given(filters_of_sql, attributes)
def test_the_explanation_says_what_the_filter_says(text, event) -> None:
    expression = parse(text)
    explanation = expression.explain(Event(event, None))
    assert explanation.matched is expression.holds(Event(event, None))
    assert (explanation.value, explanation.error) == expression.evaluate(event)
    assert (explanation.failed is None) is explanation.matched
    for finding in explanation.findings:
        assert text[finding.start : finding.end] == finding.text
        assert finding.condition.sentence


@settings(max_examples=300)
@given(expressions, attributes)
def test_any_expression_can_be_explained(text, event) -> None:
    expression = parse(text)
    explanation = expression.explain(Event(event, None))
    assert explanation.matched is expression.holds(Event(event, None))
    assert (explanation.failed is None) is explanation.matched


@settings(max_examples=400)
@given(expressions, attributes)
@example("a OR b AND type", {"a": True, "b": False, "type": False})
@example("- 0 = -1 - -1", {})
def test_the_reading_with_all_parentheses_means_the_same(text, event) -> None:
    expression = parse(text)
    again = parse(expression.reading)
    assert again.reading == expression.reading
    (value, error), (same_value, same_error) = expression.evaluate(event), again.evaluate(event)
    assert (type(value), value) == (type(same_value), same_value)
    assert (error and error.kind) == (same_error and same_error.kind)


@settings(max_examples=800)
@given(
    st.text("ab_%\\\n", max_size=12),
    st.text("ab_%\\", max_size=8)
    | st.lists(st.sampled_from(["a", "b", "_", "%", r"\%"]), max_size=8).map("".join),
)
@example("a\nb", "a%b")
@example("ab", "a_")
@example("%", r"\%")
def test_like_agrees_with_a_regular_expression(text, pattern) -> None:
    like = LikePattern(pattern)
    assert like.matcher()(text) is naive_cesql.like(text, pattern)
    if naive_cesql.like(text, pattern):
        assert text.startswith(like.prefix)
        assert text.endswith(like.suffix)
        assert like.longest_literal in text
        assert like.exact in (None, text)


@settings(max_examples=300)
@given(st.integers(-(10**12), 10**12), st.lists(st.sampled_from([*"0123456789-%_"]), max_size=5).map("".join))
def test_a_pattern_that_takes_an_integer_is_known_to(number, pattern) -> None:
    if naive_cesql.like(str(number), pattern):
        assert LikePattern(pattern).may_take_an_integer
