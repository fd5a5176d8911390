"""What the index learns from an expression. That it excludes nothing is shown in test_cesql_equals_naive.py."""

from __future__ import annotations

from typing import Any

import pytest

from rules.engine.cesql import parse
from rules.engine.cesql.conditions import MAX_ATOMS, MAX_BRANCHES

THERE: dict[str, Any] = {"exists": True}

# (expression, branches: attribute → alternatives)
CASES: list[tuple[str, list[dict[str, list[Any]]]]] = [
    ("type = 'a'", [{"type": ["a"]}]),
    ("'a' = type", [{"type": ["a"]}]),
    ("a = 'true'", [{"a": ["true", True]}]),
    ("a = '12'", [{"a": ["12", 12]}]),
    ("a = '012'", [{"a": ["012"]}]),
    ("'012' = a", [{"a": ["012", 12]}]),
    ("a = '-0'", [{"a": ["-0"]}]),
    ("a = 5", [{"a": [5, {"suffix": "5"}]}]),
    ("a = -12", [{"a": [-12, {"suffix": "12"}]}]),
    ("a = 1", [{"a": [1, {"suffix": "1"}, True]}]),
    ("5 = a", [{"a": ["5", 5, True]}]),
    ("a = TRUE", [{"a": [THERE]}]),
    ("TRUE = a", [{"a": ["true", True, 1]}]),
    ("a = '" + "1" * 301 + "'", [{"a": [THERE]}]),
    ("a != 'x'", [{"a": [THERE]}]),
    ("NOT (a != 'x')", [{"a": ["x"]}]),
    ("a > 5", [{"a": [THERE]}]),
    ("a = b", [{"a": [THERE], "b": [THERE]}]),
    ("LOWER(a) = 'x'", [{"a": [THERE]}]),
    ("type IN ('a', 'b', '7')", [{"type": ["a", "b", "7", 7]}]),
    ("type IN ('a', b)", [{"type": [THERE]}]),
    ("type NOT IN ('a')", [{"type": [THERE]}]),
    ("type LIKE 'com.%'", [{"type": [{"prefix": "com."}]}]),
    ("type LIKE '%.paid'", [{"type": [{"suffix": ".paid"}]}]),
    ("type LIKE '%order%'", [{"type": [{"contains": "order"}]}]),
    ("type LIKE 'a%order_%b'", [{"type": [{"contains": "order"}]}]),
    (r"type LIKE 'a\_b%'", [{"type": [{"prefix": "a_b"}]}]),
    ("type LIKE 'a'", [{"type": ["a"]}]),
    ("type LIKE 't%'", [{"type": [{"prefix": "t"}, True]}]),
    ("type LIKE '%e'", [{"type": [{"suffix": "e"}, True, False]}]),
    ("type LIKE '20%'", [{"type": [THERE]}]),
    ("time LIKE '2026-11-%'", [{"time": [{"prefix": "2026-11-"}]}]),
    ("type LIKE '%'", [{"type": [THERE]}]),
    ("type NOT LIKE 'a%'", [{"type": [THERE]}]),
    ("EXISTS subject", [{"subject": [THERE]}]),
    ("EXISTS type", [{}]),
    ("NOT EXISTS subject", [{}]),
    ("NOT EXISTS type", []),
    ("flag", [{"flag": [True]}]),
    ("NOT flag", [{"flag": [THERE]}]),
    ("type = 'a' AND subject LIKE 'x%'", [{"type": ["a"], "subject": [{"prefix": "x"}]}]),
    ("type IN ('a', 'b') AND type IN ('b', 'c')", [{"type": ["b"]}]),
    ("type = 'a' AND type = 'b'", []),
    ("type = 'abc' AND type LIKE 'a%' AND type != 'x'", [{"type": ["abc"]}]),
    ("type LIKE 'ab%' AND type LIKE '%cde'", [{"type": [{"suffix": "cde"}]}]),
    ("type = 'a' OR type = 'b' OR type LIKE 'c%'", [{"type": ["a", "b", {"prefix": "c"}]}]),
    ("type = 'a' OR source = 'b'", [{"type": ["a"]}, {"source": ["b"]}]),
    ("type = 'a' OR TRUE", [{}]),
    ("type = 'a' OR FALSE", [{"type": ["a"]}]),
    ("type = 'a' AND 1 = 1", [{"type": ["a"]}]),
    ("type = 'a' OR LENGTH('abc') = 4 OR 1 / 0 = 1 OR LOWER('x')", [{"type": ["a"]}]),
    ("NOT (1 = 2)", [{}]),
    ("NOT (type != 'a' OR source != 'b')", [{"type": ["a"], "source": ["b"]}]),
    ("NOT (type != 'a' AND source != 'b')", [{"type": ["a"]}, {"source": ["b"]}]),
    ("type = 'a' XOR subject = 'b'", [{"type": ["a"], "subject": [THERE]}, {"type": [THERE], "subject": ["b"]}]),
    ("(type = 'a' OR type = 'b') AND (id = '1' OR source = 'c')", [
        {"type": ["a", "b"], "id": ["1", 1]},
        {"type": ["a", "b"], "source": ["c"]},
    ]),
    ("NOPE(type) AND source = 'a'", []),
    ("FALSE", []),
    ("'no' OR type = 'a'", [{"type": ["a"]}]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "branches"), CASES, ids=[row[0][:60] for row in CASES])
def test_an_expression_gives_these_conditions(text, branches) -> None:
    found = parse(text).branches()
    assert [{atom.attribute: atom.alternatives for atom in branch} for branch in found] == branches


def test_too_many_branches_become_those_of_the_side_that_says_more() -> None:
    sides = [f"(a{number} = 'x' OR b{number} = 'y')" for number in range(20)]
    assert len(parse(" AND ".join(sides)).branches()) == MAX_BRANCHES
    selective = parse(f"{' AND '.join(sides)} AND type = 'a'").branches()
    assert all(branch[0].attribute == "type" for branch in selective)
    many = " OR ".join(f"(a{number} = 'x' AND b{number} = 'y')" for number in range(MAX_BRANCHES + 1))
    assert parse(many).branches() == [[]]
    assert parse(f"type = 'a' AND ({many})").branches() == parse("type = 'a'").branches()


def test_of_many_conditions_the_rarest_are_kept() -> None:
    [branch] = parse(" AND ".join(f"EXISTS a{number}" for number in range(30)) + " AND type = 'a'").branches()
    assert len(branch) == MAX_ATOMS
    assert branch[0].alternatives == ["a"]
