"""Rules whose filter is an expression, Subscriptions API filters, a pattern, or several of them at once."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from rules.engine import ABSENT, Event, Filter, PatternError, compile, explain, validate
from rules.engine.cesql import Expression, parse_filter
from rules.engine.subscriptions import parse_filters
from tests.unit.engine import naive, naive_cesql
from tests.unit.engine.cesql_strategies import VALUES

EVENT = Event(
    {"id": "1", "source": "/shop", "type": "order.paid", "specversion": "1.0", "priority": "7", "retries": 2},
    b'{"total": 5}',
)

# (filter, whether it takes the event)
CASES: list[tuple[Filter, bool]] = [
    (Filter(), True),
    (Filter(sql="type = 'order.paid'"), True),
    (Filter(sql="type = 'order.paid' AND priority > 7"), False),
    (Filter(sql="priority = 7"), True),
    (Filter(sql="subject = 'x' OR TRUE"), False),
    (Filter(sql="TRUE"), True),
    (Filter(sql="FALSE"), False),
    (Filter(filters=[]), True),
    (Filter(filters=[{"prefix": {"type": "order."}}, {"exact": {"retries": "2"}}]), True),
    (Filter(filters=[{"not": {"prefix": {"type": "order."}}}]), False),
    (Filter({"data": {"total": [5]}}, "retries < 3", [{"suffix": {"type": ".paid"}}]), True),
    (Filter({"data": {"total": [6]}}, "retries < 3", [{"suffix": {"type": ".paid"}}]), False),
    (Filter({"data": {"total": [5]}}, "retries < 2", [{"suffix": {"type": ".paid"}}]), False),
    (Filter({"data": {"total": [5]}}, "retries < 3", [{"suffix": {"type": ".sent"}}]), False),
    (Filter({"$or": [{"type": ["a"]}, {"source": ["/shop"]}]}, "type = 'a' OR id = '1'"), True),
    (Filter({"type": ["order.paid"]}, "type LIKE 'order.%' AND type != 'x'"), True),
    (Filter('{"type": ["order.paid"]}', "type = 'a' AND type = 'b'"), False),
]


@pytest.mark.parametrize(("written", "takes"), CASES)
def test_a_filter_takes_an_event_or_not(written, takes) -> None:
    assert validate(written) == []
    assert compile([(1, written)]).match(EVENT) == ([1] if takes else [])
    explanation = explain(written, EVENT)
    assert explanation.matched is takes
    assert (explanation.failed is None) is takes


def test_filters_are_found_through_one_index() -> None:
    matcher = compile(enumerate(written for written, _ in CASES))
    assert matcher.match(EVENT) == [number for number, (_, takes) in enumerate(CASES) if takes]
    matcher = matcher.with_changes(added=[(1, Filter(sql="type = 'x'"))], removed=[3])
    assert 1 not in matcher.match(EVENT)
    assert 3 not in matcher.match(EVENT)
    assert matcher.failures == {}


def test_an_attribute_called_detail_is_an_attribute() -> None:
    """In a pattern `detail` is data, as in AWS."""
    rules = [(1, Filter(sql="detail = 'x'")), (2, Filter(filters=[{"exact": {"detail": "x"}}]))]
    assert compile(rules).match(Event({"detail": "x"}, b'"y"')) == [1, 2]
    assert compile(rules).match(Event({"detail": "y"}, b'"x"')) == []


LITERALS = ["'x'", "'xy'", "'1'", "'true'", "1", "12", "TRUE"]
SQL = [
    *("{n} = {l}", "{l} = {n}", "{n} != {l}", "{n} LIKE 'x%'", "{n} LIKE '%1'", "{n} NOT LIKE '%y%'"),
    *("{n} IN ({l}, 'x')", "EXISTS {n}", "NOT EXISTS {n}", "{n} > {l}", "LENGTH({n}) > 1", "{n}"),
]
ALTERNATIVES: list[Any] = ["x", "1", 1, 12, True, {"prefix": "x"}, {"exists": True}, {"exists": False}]


def random_filter(choose: random.Random) -> Filter:
    def condition() -> str:
        return choose.choice(SQL).format(n=choose.choice("abc"), l=choose.choice(LITERALS))

    def sql() -> str:
        text = f" {choose.choice(['AND', 'AND', 'OR'])} ".join(
            condition() for _ in range(choose.choice([1, 2, 3]))
        )
        return f"NOT ({text})" if choose.random() < 0.2 else text

    def one(levels: int) -> dict[str, Any]:
        dialect = choose.choice(
            ["exact", "prefix", "suffix", "sql", "not", "any", "all"][: 4 + 3 * (levels > 0)]
        )
        if dialect == "sql":
            return {"sql": condition()}
        if dialect == "not":
            return {"not": one(levels - 1)}
        if dialect in ("any", "all"):
            return {dialect: [one(levels - 1) for _ in range(choose.choice([1, 2]))]}
        return {dialect: {choose.choice("abc"): choose.choice(["x", "1", "y", "true"])}}

    def fields() -> dict[str, Any]:
        return {choose.choice("abc"): choose.sample(ALTERNATIVES, choose.choice([1, 2]))}

    pattern: dict[str, Any] | None = None
    if choose.random() < 0.5:
        pattern = fields()
        if choose.random() < 0.3:
            pattern = {"$or": [fields(), fields()]}
        if choose.random() < 0.3:
            pattern["data"] = {"d": ["x"]}
    return Filter(
        pattern,
        sql() if choose.random() < 0.6 else "",
        [one(2) for _ in range(choose.choice([0, 1, 2]))] if choose.random() < 0.5 else None,
    )


def takes(written: Filter, attributes: dict[str, Any], data: Any) -> bool:
    """A plain reading of all parts."""
    event = {**attributes, "data": data}
    if written.pattern is not None:
        assert isinstance(written.pattern, dict)
        if not naive.matches(written.pattern, event):
            return False
    if written.sql and not naive_cesql.takes(parse_filter(written.sql).tree, attributes):
        return False
    return all(naive_cesql.filter_takes(one, attributes) for one in written.filters or [])


def test_mixed_rules_in_one_index_equal_a_scan_of_each() -> None:
    choose = random.Random(11)
    taken = 0
    for _ in range(12):
        rules = {number: random_filter(choose) for number in range(150)}
        rules = {number: one for number, one in rules.items() if not validate(one)}
        assert len(rules) > 100
        plain = {1000 + number: {"a": [choose.choice(ALTERNATIVES)]} for number in range(20)}
        matcher = compile([*rules.items(), *plain.items()])
        for _ in range(12):
            attributes = {name: choose.choice(VALUES) for name in "abc" if choose.random() < 0.8}
            data = {"d": choose.choice(["x", "y"])}
            event = Event(attributes, json.dumps(data).encode())
            expected = [number for number, one in rules.items() if takes(one, attributes, data)]
            expected += [
                number for number, one in plain.items() if naive.matches(one, {**attributes, "data": data})
            ]
            assert matcher.match(event) == sorted(expected)
            taken += len(expected)
            for number in choose.sample(sorted(rules), 10):
                assert explain(rules[number], event).matched is (number in expected)
        assert matcher.failures == {}
    assert taken > 1000


def test_expressions_are_evaluated_only_for_events_that_may_meet_them(monkeypatch) -> None:
    asked: list[str] = []
    holds = Expression.holds

    def counted(self: Expression, event: Event) -> bool:
        asked.append(self.text)
        return holds(self, event)

    monkeypatch.setattr(Expression, "holds", counted)
    rules: list[tuple[int, Filter]] = []
    for number in range(500):
        rules += [
            (4 * number, Filter(sql=f"type = 'com.{number}' AND LENGTH(source) > 3")),
            (4 * number + 1, Filter(sql=f"type IN ('com.{number}', 'x') OR source LIKE '/{number}/%'")),
            (
                4 * number + 2,
                Filter(filters=[{"any": [{"prefix": {"source": f"/{number}/"}}, {"sql": "1 = 2"}]}]),
            ),
            (4 * number + 3, Filter(sql=f"type LIKE 'com.{number}%' AND NOT (source = 'y')")),
        ]
    matcher = compile(rules)
    event = Event({"type": "com.77", "source": "/77/a"}, None)
    assert matcher.match(event) == [31, *range(308, 312)]
    assert len(asked) < 12


def test_five_thousand_expressions_cost_hardly_more_than_a_hundred() -> None:
    def cpu_per_event(count: int) -> float:
        rules = [
            (n, Filter(sql=f"type = 'com.{n}' AND source LIKE '/s{n % 50}/%' AND retries < 3"))
            for n in range(count)
        ]
        matcher = compile(rules)
        events = [
            Event({"type": f"com.{n % count}", "source": f"/s{n % 50}/", "retries": 1}, None)
            for n in range(3000)
        ]
        assert matcher.match(events[5]) == [5]
        best = 1e9
        for _ in range(3):
            before = time.process_time()
            for event in events:
                matcher.match(event)
            best = min(best, time.process_time() - before)
        return best

    assert cpu_per_event(5000) < 4 * cpu_per_event(100)


# (filter, pointers, message of the first)
ERRORS: list[tuple[Filter, list[str], str]] = [
    (Filter(sql="type ="), ["/sql"], "column 7: here a value is expected, not the end"),
    (Filter(sql=" "), ["/sql"], "column 2: the expression is empty"),
    (Filter(sql="LENGTH(type)"), ["/sql"], "column 1: the expression gives a number"),
    (Filter(sql=5), ["/sql"], "`sql` is an expression as a string"),  # type: ignore[arg-type]
    (Filter(filters={}), ["/filters"], "filters are a list"),  # type: ignore[arg-type]
    (
        Filter(filters=[{"near": {}}, {"exact": {"type": ""}}]),
        ["/filters/0/near", "/filters/1/exact/type"],
        "`near` is no filter dialect",
    ),
    (
        Filter({"type": "a"}, "AND", [{}]),
        ["/type", "/sql", "/filters/0"],
        "alternatives are written in a list",
    ),
]


@pytest.mark.parametrize(("written", "pointers", "message"), ERRORS)
def test_what_is_wrong_is_told_with_its_place(written, pointers, message) -> None:
    problems = validate(written)
    assert [problem.pointer for problem in problems] == pointers
    assert problems[0].message.startswith(message)
    with pytest.raises(PatternError) as caught:
        compile([(7, written)])
    assert caught.value.pointer in pointers
    assert caught.value.rule_id == 7
    with pytest.raises(PatternError):
        explain(written, EVENT)


def test_an_error_in_an_expression_names_its_line() -> None:
    [problem] = validate(Filter(sql="type = 'a'\n  AND"))
    assert (problem.line, str(problem)) == (
        2,
        "/sql, line 2: column 6: here a value is expected, not the end",
    )


def test_the_explanation_of_a_filter_tells_all_its_parts() -> None:
    written = Filter(
        {"type": ["order.paid"], "data": {"total": [5]}},
        "retries < 3 AND priority > 8",
        [{"exact": {"source": "/shop"}}, {"any": [{"exact": {"subject": "x"}}, {"sql": "retries = 9"}]}],
    )
    explanation = explain(written, EVENT)
    assert [(one.pointer, one.ok, one.sentence) for one in explanation.conditions] == [
        ("/pattern/type", True, 'type is "order.paid", as the rule wants'),
        ("/pattern/data/total", True, "data.total is 5, as the rule wants"),
        ("/sql", True, "retries is 2, as the rule wants"),
        ("/sql", False, 'priority is "7", the rule wants more than 8'),
        ("/filters/0/exact/source", True, 'source is "/shop", as the rule wants'),
        (
            "/filters/1/any/0/exact/subject",
            False,
            'subject is not in the event, the rule wants "x" (the first of 2 alternatives, none of which holds)',
        ),
    ]
    assert explanation.failed is explanation.conditions[3]
    assert explanation.sentence == 'priority is "7", the rule wants more than 8'
    assert explanation.failed.span is not None
    assert written.sql[slice(*explanation.failed.span)] == "priority > 8"


def test_the_sentence_of_a_filter_says_the_whole_answer() -> None:
    assert explain(Filter(), EVENT).sentence == "the rule takes every event"
    assert explain(Filter(filters=[]), EVENT).sentence == "the rule takes every event"
    both = explain(Filter({"type": ["order.paid"]}, "retries = 2"), EVENT)
    assert both.sentence == 'type is "order.paid" and retries is 2, as the rule wants'
    neither = explain(Filter({"$or": [{"type": ["a"]}, {"id": ["2"]}]}, "retries = 1"), EVENT)
    assert neither.failed is not None
    assert neither.failed.pointer == "/pattern/$or/0/type"
    assert neither.sentence.startswith("none of 2 ways to meet `$or` holds; closest came")
    missing = explain(Filter(sql="subject = 'x'"), EVENT)
    assert missing.failed is not None
    assert missing.failed.seen is ABSENT


def test_too_many_combinations_leave_the_decision_to_the_checks() -> None:
    pattern = {"$or": [{"a": [number]} for number in range(200)]}
    sql = " OR ".join(f"(b = '{number}' AND c = '{number}')" for number in range(20))
    matcher = compile([(1, Filter(pattern, sql))])
    assert matcher.match(Event({"a": 150, "b": "7", "c": "7"}, None)) == [1]
    assert matcher.match(Event({"a": 150, "b": "7", "c": "8"}, None)) == []
    assert len(parse_filters([{"sql": sql}]).branches()) == 20
