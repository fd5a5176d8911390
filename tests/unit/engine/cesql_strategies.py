"""Random CESQL expressions and events, in a world so narrow that they meet often."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = ["a", "b", "type"]
STRINGS = [
    "",
    "x",
    "xy",
    "yx",
    "%",
    "a_b",
    "true",
    "TRUE",
    "false",
    "0",
    "1",
    "01",
    "+1",
    "-1",
    "12",
    "2147483648",
]
NUMBERS = ["0", "1", "-1", "12", "+5", "2147483647", "-2147483648"]
PATTERNS = [
    "%",
    "x%",
    "%x",
    "%y%",
    "x_",
    "_x%",
    "1%",
    "%1",
    "t%",
    "%e",
    "x",
    "1",
    "true",
    "",
    "x%y%x",
    r"a\_b",
    "%_1_%",
]
VALUES = [*STRINGS, 0, 1, -1, 12, 2**31 - 1, -(2**31), 2**31, 10**40, True, False]

quoted = st.sampled_from(STRINGS).map(lambda text: f"'{text}'")
literal = quoted | st.sampled_from(NUMBERS) | st.sampled_from(["TRUE", "FALSE"])
name = st.sampled_from(NAMES)
pattern = st.sampled_from(PATTERNS).map(lambda text: f"'{text}'")


def _operations(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operand = inner | inner.map(lambda text: f"({text})")
    operators = st.sampled_from(["=", "!=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"])
    logic = st.sampled_from(["AND", "OR", "XOR"])
    negation = st.sampled_from(["", "NOT "])
    return st.one_of(
        st.tuples(operand, logic, operand).map(" ".join),
        st.tuples(operand, logic, operand, logic, operand).map(" ".join),
        st.tuples(operand, operators, operand).map(" ".join),
        st.tuples(operand, negation, pattern).map(lambda it: f"{it[0]} {it[1]}LIKE {it[2]}"),
        st.tuples(operand, negation, st.lists(literal | operand, min_size=1, max_size=3)).map(
            lambda it: f"{it[0]} {it[1]}IN ({', '.join(it[2])})"
        ),
        operand.map(lambda text: f"NOT {text}"),
        operand.map(lambda text: f"- {text}"),
        st.tuples(st.sampled_from(["LENGTH", "LOWER", "BOOL", "INT", "STRING", "NOPE"]), inner).map(
            lambda it: f"{it[0]}({it[1]})"
        ),
        st.tuples(inner, st.sampled_from(["-1", "0", "1", "5"])).map(lambda it: f"LEFT({it[0]}, {it[1]})"),
    )


# The comparisons that give conditions for the index, so that they are not rare.
simple = st.one_of(
    st.tuples(name, st.sampled_from(["=", "!="]), literal).map(" ".join),
    st.tuples(literal, st.sampled_from(["=", "!="]), name).map(" ".join),
    st.tuples(name, st.sampled_from(["LIKE", "NOT LIKE"]), pattern).map(" ".join),
    st.tuples(name, st.sampled_from(["IN", "NOT IN"]), st.lists(literal, min_size=1, max_size=3)).map(
        lambda it: f"{it[0]} {it[1]} ({', '.join(it[2])})"
    ),
    name.map(lambda one: f"EXISTS {one}"),
)
expressions = st.recursive(simple | name | literal, _operations, max_leaves=6)
filters_of_sql = st.recursive(
    simple,
    lambda inner: st.tuples(
        st.sampled_from(["", "NOT "]), inner, st.sampled_from(["AND", "OR", "XOR"]), inner
    ).map(lambda it: f"{it[0]}({it[1]}) {it[2]} ({it[3]})"),
    max_leaves=6,
)
attributes = st.dictionaries(name, st.sampled_from(VALUES))
