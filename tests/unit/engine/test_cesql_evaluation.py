"""What expressions give: casts, functions, errors, and that nothing an event holds makes them fail or slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine import Event
from rules.engine.cesql import (
    BUILT_IN,
    ErrorKind,
    Function,
    FunctionFailed,
    FunctionTable,
    Type,
    parse,
    parse_filter,
)
from rules.engine.cesql.functions import MAX_RESULT

# (expression, attributes, value, kind of the error)
CASES = [
    # Errors end the evaluation: the value is the zero value of the whole expression, not of the part.
    ("LENGTH(LEFT('abc', -2))", {}, 0, "functionEvaluation"),
    ("CONCAT(LEFT('abc', -2), 'x')", {}, "", "functionEvaluation"),
    ("ABS(-2147483648) + 1", {}, 0, "math"),
    ("(LEFT('abc', -2))", {}, "abc", "functionEvaluation"),
    ("NOT 'abc'", {}, True, "cast"),
    ("NOT NOT 10", {}, False, "cast"),
    ("subject", {}, False, "missingAttribute"),
    ("STRING(subject)", {}, "", "missingAttribute"),
    ("FOO(subject)", {}, False, "missingFunction"),
    ("'abc' != 1", {}, False, "cast"),
    ("1 IN ('a', 1)", {}, False, "cast"),
    ("1 IN (1, 'a')", {}, True, None),
    ("a IN (1, b)", {"a": 1}, True, None),
    ("a IN (b, 1)", {"a": 1}, False, "missingAttribute"),
    ("TRUE IN (2, 'no')", {}, True, None),
    ("a OR b", {"a": "true"}, True, None),
    ("a OR b", {"a": "maybe"}, False, "cast"),
    ("a AND b", {"a": 0}, False, None),
    ("a XOR b", {"a": 1, "b": "False"}, True, None),
    ("FALSE AND a OR TRUE", {}, True, None),
    # Casts
    ("INT('+007')", {}, 7, None),
    ("INT('-0')", {}, 0, None),
    ("INT('2147483647')", {}, 2147483647, None),
    ("INT('2147483648')", {}, 0, "cast"),
    ("INT('00000000000000000001')", {}, 1, None),
    ("INT(' 1')", {}, 0, "cast"),
    ("INT('1.0')", {}, 0, "cast"),
    ("INT('٣')", {}, 0, "cast"),
    ("INT('')", {}, 0, "cast"),
    ("BOOL('tRuE')", {}, True, None),
    ("BOOL('1')", {}, False, "cast"),
    ("STRING(-0)", {}, "0", None),
    ("STRING(+5)", {}, "5", None),
    # Attributes beyond 32 bits are texts
    ("a", {"a": 2**31}, "2147483648", None),
    ("a = '2147483648'", {"a": 2**31}, True, None),
    ("a > 1", {"a": 2**31}, False, "cast"),
    ("a", {"a": True}, True, None),
    # Arithmetic
    ("-7 / 2", {}, -3, None),
    ("7 / -2", {}, -3, None),
    ("7 % -2", {}, 1, None),
    ("-2147483648 / -1", {}, 0, "math"),
    ("-2147483648 % -1", {}, 0, None),
    ("- a", {"a": -(2**31)}, 0, "math"),
    ("65536 * 65536", {}, 0, "math"),
    ("2147483647 + 1 - 1", {}, 0, "math"),
    ("10 - 3 - 2", {}, 5, None),
    ("100 / 5 / 2", {}, 10, None),
    # Functions
    ("LENGTH('é😀')", {}, 2, None),
    ("TRIM('\u2003\u00a0 a \u3000\n')", {}, "a", None),
    ("TRIM('\u001f\u200ba\u001c')", {}, "\u001f\u200ba\u001c", None),
    ("UPPER('straße')", {}, "STRASSE", None),
    ("LEFT('abc', 0)", {}, "", None),
    ("RIGHT('abc', 0)", {}, "", None),
    ("SUBSTRING('abc', 3)", {}, "c", None),
    ("SUBSTRING('abc', 4)", {}, "", "functionEvaluation"),
    ("SUBSTRING('abc', -3)", {}, "abc", None),
    ("SUBSTRING('abc', 2, 0)", {}, "", None),
    ("SUBSTRING('abc', 0, -1)", {}, "", "functionEvaluation"),
    ("SUBSTRING('', 0)", {}, "", None),
    ("SUBSTRING('', 1)", {}, "", "functionEvaluation"),
    ("concat_ws(1, true, 'x')", {}, "true1x", None),
]


@pytest.mark.parametrize(("text", "attributes", "value", "kind"), CASES)
def test_an_expression_gives_a_value_and_an_error(text, attributes, value, kind) -> None:
    given_value, error = parse(text).evaluate(attributes)
    assert (type(given_value), given_value) == (type(value), value)
    assert (None if error is None else error.kind) == kind


# (expression, message, the sub-expression that failed)
MESSAGES = [
    ("a = 1 AND region = 'x'", "region is not in the event", "region"),
    (
        "LOWER(subject) = 5",
        'LOWER(subject) is "abc", LOWER(subject) = 5 needs a whole number there',
        "LOWER(subject) = 5",
    ),
    ("a + 'x' = 3", "'x' is not a whole number, so no cast", "a + 'x'"),
    ("a / (a - 1)", "a / (a - 1) divides by 0", "a / (a - 1)"),
    ("a + 2147483647", "a + 2147483647 comes to 2,147,483,648, which no integer can hold", "a + 2147483647"),
    (
        "LEFT(subject, - a)",
        "LEFT(subject, - a): the number of characters is -1, it must be 0 or more",
        "LEFT(subject, - a)",
    ),
    ("LEFT(subject)", "LEFT takes 2 arguments, not 1", "LEFT(subject)"),
    (
        "SUBSTRING(subject,\n  9)",
        "SUBSTRING(subject, 9): the string has 3 characters, position 9 is outside",
        "SUBSTRING(subject,\n  9)",
    ),
]


@pytest.mark.parametrize(("text", "message", "part"), MESSAGES)
def test_an_error_names_the_sub_expression(text, message, part) -> None:
    error = parse(text).evaluate({"a": 1, "subject": "abc"})[1]
    assert error is not None
    assert error.message == message.removesuffix(", so no cast")
    assert text[error.start : error.end] == part


values = st.text() | st.integers() | st.booleans() | st.sampled_from([10**4299, 10**4300, -(10**5000)])


@given(st.dictionaries(st.sampled_from(["a", "b", "type"]), values))
def test_nothing_an_event_holds_makes_evaluation_raise(attributes) -> None:
    for expression in ALL_KINDS:
        expression.evaluate(attributes)
        expression.holds(Event(attributes, None))
        expression.explain(Event(attributes, None))


ALL_KINDS = [
    parse(text)
    for text in [
        "a",
        "-a",
        "NOT a",
        "a = b",
        "a != type",
        "a < b",
        "a + b * type",
        "a % b",
        "a LIKE '%x_%'",
        "a IN (b, 1, 'x', TRUE)",
        "a AND b OR type XOR a",
        "LENGTH(a) > LENGTH(UPPER(b))",
        "SUBSTRING(a, b, type)",
        "CONCAT_WS(a, b, type, EXISTS a)",
        "BOOL(a) = INT(b)",
    ]
]


def test_an_integer_too_long_to_be_written_counts_as_missing() -> None:
    event = Event({"a": 10**5000}, None)
    assert not parse("a = 1 OR TRUE").holds(event)
    assert parse("EXISTS a").holds(event)


def test_joined_texts_are_bounded() -> None:
    attributes = {"a": "x" * (MAX_RESULT // 2)}
    assert parse("LENGTH(CONCAT(a, a))").evaluate(attributes) == (MAX_RESULT, None)
    for text in ["CONCAT(a, a, '.')", "CONCAT_WS('.', a, a)", "CONCAT_WS(a, '', '', '', '')"]:
        value, error = parse(text).evaluate(attributes)
        assert value == ""
        assert error is not None
        assert error.kind == ErrorKind.FUNCTION_EVALUATION
        assert "at most 65,536 are made" in error.message


@pytest.mark.parametrize(
    "pattern", ["%a" * 3000 + "b", "%" + "a_" * 3000 + "b%", "%a_b" * 3000, "a%" * 3000, "%a" * 3000 + "_b%"]
)
def test_no_pattern_makes_like_slow(pattern) -> None:
    expression = parse(f"a LIKE '{pattern}'")
    event = Event({"a": "a" * 65_000}, None)
    before = time.process_time()
    expression.holds(event)
    assert time.process_time() - before < 1


def test_other_functions_can_be_added_to_a_table() -> None:
    """HASPREFIX and KONKAT are the user-defined functions of the conformance kit."""

    def broken(text: str) -> str:
        if text == "fail":
            raise FunctionFailed("will not", "kept")
        if text == "raise":
            raise KeyError(text)
        return 5 if text == "type" else text  # type: ignore[return-value]

    table = BUILT_IN.with_functions(
        Function("hasprefix", (Type.STRING, Type.STRING), Type.BOOLEAN, str.startswith),
        Function("KONKAT", (), Type.STRING, lambda *texts: "".join(texts), rest=Type.STRING),
        Function("BROKEN", (Type.STRING,), Type.STRING, broken),
    )
    assert parse_filter("HasPrefix(type, 'com.')", table).holds(Event({"type": "com.x"}, None))
    assert parse("KONKAT(1, TRUE, 'x')", table).evaluate({}) == ("1truex", None)
    assert parse("KONKAT()", table).evaluate({}) == ("", None)
    assert parse("HASPREFIX('a')", table).evaluate({})[1].kind == ErrorKind.MISSING_FUNCTION
    for argument, value, message in [
        ("fail", "kept", "BROKEN('fail'): will not"),
        ("raise", "", "BROKEN('raise'): raised KeyError"),
        ("type", "", "BROKEN('type'): gave no value of its type, a string"),
    ]:
        given_value, error = parse(f"BROKEN('{argument}')", table).evaluate({})
        assert (given_value, error.kind, error.message) == (value, ErrorKind.FUNCTION_EVALUATION, message)


def test_functions_that_cannot_be_told_apart_are_refused() -> None:
    """CESQL §3.5: overloads differ in their number of arguments; a variadic one has more fixed ones than all others."""

    def function(count: int, rest: Type | None = None) -> Function:
        return Function("ABC", (Type.STRING,) * count, Type.INTEGER, len, rest)

    valid = FunctionTable((function(1), function(2), function(3, Type.STRING)))
    assert [valid.find("ABC", count) is not None for count in range(5)] == [False, True, True, True, True]
    for added in [function(0, Type.STRING), function(3), function(2), function(5)]:
        with pytest.raises(ValueError, match="ABC with"):
            valid.with_functions(added)
