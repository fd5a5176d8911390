"""What is an expression, and what people read when it is none."""

from __future__ import annotations

import time

import pytest

from rules.engine import Event
from rules.engine.cesql import CesqlError, parse, parse_filter
from rules.engine.cesql.conditions import MAX_ATOMS, MAX_BRANCHES
from rules.engine.cesql.tokens import MAX_BYTES, MAX_TOKENS

# (expression, line, column, message)
ERRORS = [
    ("", 1, 1, "the expression is empty"),
    (" \n ", 2, 2, "the expression is empty"),
    ("type =", 1, 7, "here a value is expected, not the end"),
    ("type = 'a", 1, 8, "this string has no end: close it with '"),
    ('type = "a\\"', 1, 8, 'this string has no end: close it with "'),
    ("type == 'a'", 1, 6, "`==` is not understood: write a single ="),
    (
        "data.x = 1",
        1,
        5,
        "`.` is not understood: only attributes can be asked for, never parts of data: for those use a pattern",
    ),
    ("1 = data", 1, 5, "`data` cannot be asked for, only attributes: for data use a pattern"),
    ("EXISTS Data", 1, 8, "`data` cannot be asked for, only attributes: for data use a pattern"),
    (
        "EXISTS (subject)",
        1,
        8,
        "EXISTS is followed by the name of an attribute, without parentheses, not `(`",
    ),
    ("EXISTS in", 1, 8, "EXISTS is followed by the name of an attribute, without parentheses, not `in`"),
    ("type LIKE x", 1, 11, "LIKE is followed by a string in quotes, as in type LIKE 'com.%', not `x`"),
    ("type LIKE 5", 1, 11, "LIKE is followed by a string in quotes, as in type LIKE 'com.%', not `5`"),
    ("type IN ()", 1, 10, "IN needs at least one value, as in type IN ('a', 'b')"),
    ("type IN 'a'", 1, 9, "IN is followed by a list, as in type IN ('a', 'b'), not `'a'`"),
    ("type IN ('a' 'b')", 1, 14, "here , or ) is expected, not `'b'`"),
    ("type = ‘a’", 1, 8, "`‘` is not understood: strings are written in ' or \""),
    (
        "`type` = 'a'",
        1,
        1,
        "``` is not understood: attributes are written without quotes, strings in ' or \"",
    ),
    ("a = 1 && b = 2", 1, 7, "`&` is not understood: write AND instead"),
    ("!a", 1, 1, "`!` is not understood: write NOT, or != for “not equal”"),
    ("a = é", 1, 5, "`é` is not understood: strings are written in quotes, names in letters and digits"),
    ("(type = 'a'", 1, 1, "this ( is not closed: add )"),
    ("LOWER(type", 1, 6, "this ( is not closed: add )"),
    ("type = 'a')", 1, 11, "this ) closes nothing: remove it, or open it with ("),
    ("(a = 1 b)", 1, 8, "here an operator or ) is expected, not `b`"),
    ("a b", 1, 3, "here an operator like AND, = or LIKE is expected, not `b`"),
    ("a NOT b", 1, 3, "after a value, NOT is followed by LIKE or IN"),
    ("a = AND", 1, 5, "here a value is expected, not `AND`, which is a word of the language"),
    ("a = * 2", 1, 5, "here a value is expected, not `*`"),
    ("+ a", 1, 3, "+ before a value is only understood with a number, as in +5, not `a`"),
    ("a = 2147483648", 1, 5, "numbers are whole and between -2,147,483,648 and 2,147,483,647"),
    ("a = -2147483649", 1, 5, "numbers are whole and between -2,147,483,648 and 2,147,483,647"),
    ("a = " + "9" * 5000, 1, 5, "numbers are whole and between -2,147,483,648 and 2,147,483,647"),
    ("my_ext = 1", 1, 1, "`my_ext` is no name of an attribute: those have letters and digits only"),
    ("F2(1)", 1, 1, "`F2` is no name of a function: those have letters and _ only"),
    ("type = 'a'\n  AND\n  sub ject", 3, 7, "here an operator like AND, = or LIKE is expected, not `ject`"),
    ("a = '\ud800'", 1, 6, r"half of a surrogate pair (\ud800 to \udfff) is not a character"),
]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"), ERRORS, ids=[repr(row[0][:30]) for row in ERRORS]
)
def test_an_error_names_the_place_and_what_would_be_right(text, line, column, message) -> None:
    with pytest.raises(CesqlError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.line, caught.value.column) == (message, line, column)
    assert str(caught.value) == f"line {line}, column {column}: {message}"


# (expression, message): valid, and yet nothing a filter could use
NO_FILTERS = [
    ("LENGHT(type) > 5", "there is no function LENGHT: did you mean LENGTH?"),
    (
        "Z(type)",
        "there is no function Z: there are ABS, BOOL, CONCAT, CONCAT_WS, INT, LEFT, LENGTH, LOWER, RIGHT, STRING, "
        "SUBSTRING, TRIM, UPPER",
    ),
    ("LEFT(type) = 'a'", "LEFT takes 2 arguments, not 1"),
    ("SUBSTRING(type) = 'a'", "SUBSTRING takes 2 or 3 arguments, not 1"),
    ("CONCAT_WS() = 'a'", "CONCAT_WS takes 1 or more arguments, not 0"),
    (
        "LENGTH(type)",
        "the expression gives a number, a filter gives true or false: compare it, as in LENGTH(subject) > 5",
    ),
    (
        "LOWER(type)",
        "the expression gives a string, a filter gives true or false: compare it, as in LOWER(type) = 'a'",
    ),
    ("NOT type = 'a'", "NOT is applied to `type` alone here: write NOT (type = 'a')"),
    ("EXISTS id AND NOT type != 'a'", "NOT is applied to `type` alone here: write NOT (type != 'a')"),
    ("NOT type LIKE 'a%'", "NOT is applied to `type` alone here: write NOT (type LIKE 'a%')"),
    ("NOT type IN ('a', 'b')", "NOT is applied to `type` alone here: write NOT (type IN ('a', 'b'))"),
]


@pytest.mark.parametrize(("text", "message"), NO_FILTERS)
def test_what_can_never_take_an_event_is_refused_as_a_filter(text, message) -> None:
    parse(text)
    with pytest.raises(CesqlError) as caught:
        parse_filter(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "text",
    [
        "flag",
        "NOT flag",
        "NOT flag = true",
        "NOT flag = 'true'",
        "(NOT flag) = 'x'",
        "NOT (type = 'a')",
        "type NOT LIKE 'a%'",
        "BOOL(flag)",
        "true",
    ],
)
def test_what_may_take_an_event_is_a_filter(text) -> None:
    assert parse_filter(text).text == text


# (expression, how it is read)
READINGS = [
    ("a OR b AND c", "((a OR b) AND c)"),
    ("a AND b OR c", "((a AND b) OR c)"),
    ("a XOR b AND NOT c", "((a XOR b) AND (NOT c))"),
    ("NOT a = b", "((NOT a) = b)"),
    ("NOT a LIKE 'x%'", "((NOT a) LIKE 'x%')"),
    ("a NOT LIKE 'x%'", "(NOT (a LIKE 'x%'))"),
    ("a NOT IN (1, b + 2)", "(NOT (a IN (1, (b + 2))))"),
    ("NOT EXISTS a AND b", "((NOT EXISTS a) AND b)"),
    ("a + b * c = d - e - f", "((a + (b * c)) = ((d - e) - f))"),
    ("a = b < c", "((a = b) < c)"),
    ("- a * b", "((- a) * b)"),
    ("a -1", "(a - 1)"),
    ("a - -1", "(a - -1)"),
    ("a*-1", "(a * -1)"),
    ("- -1", "(- -1)"),
    ("a + b LIKE '1%'", "(a + (b LIKE '1%'))"),
    ("a * b IN (1)", "(a * (b IN (1)))"),
    ("a <> 1", "(a != 1)"),
    ("left(a, 2) = 'x'", "(LEFT(a, 2) = 'x')"),
    ("((a))", "a"),
    ("not\ta\r\nand b", "((NOT a) AND b)"),
]


@pytest.mark.parametrize(("text", "reading"), READINGS)
def test_precedence_is_that_of_the_specification(text, reading) -> None:
    assert parse(text).reading == reading


# (string as written, its value)
STRINGS = [
    ("'a'", "a"),
    ('"a"', "a"),
    ("''", ""),
    ("'it''s'", "it's"),
    (r"'it\'s'", "it's"),
    (r'"it\'s"', r"it\'s"),
    ('"say ""x"""', 'say "x"'),
    (r'"say \"x\""', 'say "x"'),
    (r"'a\b'", r"a\b"),
    (r"'a\\'", r"a\\"),
    (r"'\\\''", r"\\'"),
    ("'a\nb'", "a\nb"),
    ("'é😀'", "é😀"),
]


@pytest.mark.parametrize(("written", "value"), STRINGS)
def test_a_string_may_hold_its_quote_escaped_or_doubled(written, value) -> None:
    assert parse(written).evaluate({}) == (value, None)


def test_names_and_keywords_are_read_in_any_case() -> None:
    expression = parse("SubJect Like 'x%' aNd eXists TYPE and lower(SUBJECT) in ('xy')")
    assert expression.holds(Event({"subject": "xy"}, None))


def test_long_texts_are_refused() -> None:
    parse("a = '" + "x" * (MAX_BYTES - 6) + "'")
    with pytest.raises(CesqlError, match="65,537 bytes: at most 65,536"):
        parse("a = '" + "x" * (MAX_BYTES - 5) + "'")
    with pytest.raises(CesqlError, match="at most 65,536"):
        parse("a = '" + "é" * (MAX_BYTES // 2) + "'")


def test_many_tokens_are_refused() -> None:
    parse("1" + "+1" * (MAX_TOKENS // 2 - 1))
    with pytest.raises(CesqlError, match=r"more than 10,000 words and signs"):
        parse("1" + "+1" * (MAX_TOKENS // 2))


@pytest.mark.parametrize(
    ("opening", "inside", "closing"),
    [("(", "a", ")"), ("NOT ", "a", ""), ("- ", "a", ""), ("LOWER(", "a", ")"), ("a IN (", "a", ")")],
)
def test_deep_nesting_is_refused(opening, inside, closing) -> None:
    parse(opening * 15 + inside + closing * 15)
    for deep in (33, 2000, 9000):
        with pytest.raises(CesqlError, match=r"at most (32 levels|that many)"):
            parse(opening * deep + inside + closing * deep)
    with pytest.raises(CesqlError, match="at most 32 levels"):
        parse("a" + " = a" * 40)
    with pytest.raises(CesqlError, match="at most 32 levels"):
        parse("a" + " LIKE 'a'" * 40)


def test_long_chains_are_not_deep() -> None:
    conditions = " AND ".join(f"a{number} = {number}" for number in range(2400))
    expression = parse(conditions)
    assert expression.holds(Event({f"a{number}": number for number in range(2400)}, None))
    assert parse("1" + " + 1" * 4000).evaluate({}) == (4001, None)


def test_the_longest_expressions_are_compiled_and_explained_within_two_seconds() -> None:
    texts = [
        " OR ".join(f"type = 'com.{number}'" for number in range(2400)),
        " AND ".join(f"a{number} = '{number}'" for number in range(2400)),
        " OR ".join(f"a{number} = '{number}'" for number in range(2400)),
        " XOR ".join(f"a{number} = '{number}'" for number in range(2400)),
        "NOT (" + " AND ".join(f"a{number} LIKE '%{number}%'" for number in range(2400)) + ")",
        "type IN (" + ", ".join(f"'com.example.{number}'" for number in range(3000)) + ")",
        " AND ".join(f"(a{number} = 'x' OR b{number} = 'y')" for number in range(900)),
        " AND ".join(f"a{number} = '{number}' OR b{number} LIKE '%x'" for number in range(1200)),
        "(" * 28 + " OR ".join(f"a{number} = '{number}'" for number in range(2400)) + " OR FALSE)" * 28,
        " XOR ".join(["(" + " OR ".join(f"a{number} LIKE '{number}x%'" for number in range(60)) + ")"] * 30),
    ]
    event = Event({"type": "com.example.x", **{f"a{number}": "z" for number in range(2400)}}, None)
    for text in texts:
        before = time.process_time()
        expression = parse_filter(text)
        branches = expression.branches()
        expression.explain(event)
        assert time.process_time() - before < 2, text[:40]
        assert len(branches) <= MAX_BRANCHES
        assert all(len(branch) <= MAX_ATOMS for branch in branches)
