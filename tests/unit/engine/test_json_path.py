"""JSONPath as RFC 9535 has it, and no path that can hang."""

from __future__ import annotations

import json

import jsonpath_rfc9535
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine import Event, TransformError, compile_transform
from rules.engine.json_path import MAX_STEPS, Reading, parse_json_path
from rules.engine.json_path_query import QueryError, Steps, compile_query
from rules.engine.transform_error import TooManySteps
from tests.vectors import shared


def test_the_compliance_suite_of_jsonpath_passes() -> None:
    cases = json.loads((shared() / "vectors/jsonpath/cts.json").read_text())["tests"]
    failed = []
    for case in cases:
        try:
            found = compile_query(case["selector"]).find(case["document"], Steps(10_000))
        except QueryError:
            if not case.get("invalid_selector"):
                failed.append(case["name"])
            continue
        wanted = case["results"] if "results" in case else [case.get("result")]
        if case.get("invalid_selector") or found not in wanted:
            failed.append(case["name"])
    assert failed == []
    assert len(cases) == 703


def deep_event() -> Event:
    """256 KB of small nested lists and objects, with a text that makes backtracking engines hang."""
    node: object = "a" * 200 + "!"
    for level in range(60):
        node = {"a": node, "b": [level] * 20, "s": "a" * 60 + "!"}
    items = [{"k": f"k{n}", "n": n, "s": "a" * 40 + "!", "in": [n] * 5} for n in range(3_000)]
    event = Event({"id": "1"}, json.dumps({"deep": node, "items": items, "re": "(a|aa)+$"}).encode())
    assert event.data_raw is not None
    assert len(event.data_raw) > 256 * 1024
    return event


EVENT = deep_event()

# Paths that never end, or blow up, where steps are not counted.
HOSTILE = [
    "$..[*,*,*,*,*,*,*,*]..[*,*,*,*,*,*,*,*]",
    "$..[?@..*]..[?@..*]",
    "$..[?count(@..*) > count($..*)]",
    "$.data.items[?@.n == value($..n)]",
    "$.data.items[?$.data.items[?$.data.items[?@.n > 5]]]",
    "$.data.items[?count($.data.items[?count($.data.items[?@.n > 5]) > 5]) > 5]",
    "$[*,*,*,*,*,*,*,*][*,*,*,*,*,*,*,*][*,*,*,*,*,*,*,*][*,*,*,*,*,*,*,*][*,*,*,*,*,*,*,*]",
    "$.data.items[*,*,*,*,*,*,*,*,*,*]..[*,*,*,*,*,*,*,*,*,*]",
    "$..[::-1,::-1,::-1,::-1,::-1,::-1,::-1]..[::-1,::-1,::-1,::-1,::-1,::-1,::-1]",
    "$..[?search(@.s, '(a|aa)+$') || search(@.s, '(a+)+$') || count($..*) < 1]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_path_that_explodes_ends_by_its_budget(text) -> None:
    reading = Reading(EVENT)
    with pytest.raises(TransformError) as caught:
        parse_json_path(text).value(reading)
    assert f"takes more than {MAX_STEPS:,} steps" in str(caught.value)
    assert str(caught.value).startswith(text)
    assert reading.steps.left < 0
    # It stops where the budget ends: no single step looks at more values than the event has.
    assert reading.steps.left > -MAX_STEPS


@pytest.mark.parametrize(
    "text",
    [
        "$..*..*",
        "$..[?@ == $]",
        "$..[?@ == $.data.deep]..[?@ == $.data.deep]",
        "$..s",
        "$..[?search(@, 'a+a+$')]",
    ],
)
def test_a_path_that_visits_much_but_does_not_explode_is_allowed(text) -> None:
    reading = Reading(EVENT)
    assert isinstance(parse_json_path(text).value(reading), list)
    assert 0 <= reading.steps.left < MAX_STEPS


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "(a|a)*b", "(.*a){20}", "((a{1,30}){1,30})!", "a*a*a*a*a*a*a*a*a*b"]
)
@pytest.mark.parametrize("function", ["search", "match"])
def test_regular_expressions_take_time_linear_in_the_text(function, pattern) -> None:
    reading = Reading(EVENT)
    parse_json_path(f"$.data.items[?{function}(@.s, '{pattern}')]").value(reading)
    assert MAX_STEPS - reading.steps.left < 3_000 * 5


def test_a_regular_expression_out_of_an_event_is_bounded_too() -> None:
    for pattern, found in [("(a|aa)+!", 2), ("x{1000}{1000}", 0), ("(" * 2000, 0), ("[", 0)]:
        event = Event({}, json.dumps({"re": pattern, "list": ["aa!", "a!", "b"]}).encode())
        path = parse_json_path("$.data.list[?match(@, $.data.re)]")
        assert len(path.value(Reading(event))) == found


# (pattern, what it matches, what it does not match)
I_REGEXPS = [
    ("[0-9]{10}", "0123456789", "123"),
    ("a{2,12}b?", "aaa", "a"),
    (r"\p{Lu}\.[^a-c-]", "É.d", "É.-"),
    ("(ab|c)*", "abcc", "abd"),
    (r"\\[a\]]", "\\]", "\\b"),
    ("a.c", "a😀c", "a\rc"),
]


@pytest.mark.parametrize(("pattern", "yes", "no"), I_REGEXPS)
def test_regular_expressions_are_those_of_rfc_9485(pattern, yes, no) -> None:
    event = Event({}, json.dumps({"re": pattern, "list": [yes, no]}).encode())
    assert parse_json_path("$.data.list[?match(@, $.data.re)]").value(Reading(event)) == [yes]


def test_a_long_text_costs_steps() -> None:
    event = Event({}, json.dumps({"list": ["a" * 1000] * 5}).encode())
    reading = Reading(event)
    parse_json_path("$.data.list[?search(@, 'b')]").value(reading)
    assert MAX_STEPS - reading.steps.left > 5 * 10


# (path, offset, part of the message): refused when a rule is saved
REFUSED = [
    ("$..*..*..*..*", 0, "descends by .. 4 times: at most 2"),
    ("$" + ".a" * 600, 0, "at most 1,024"),
    ("$[" + "(" * 900 + "]", None, ""),
    ("$[?" + "(" * 500 + "@" + ")" * 500 + "]", 0, "nested too deep"),
    ("$[?" + "!(" * 200 + "@.a" + ")" * 200 + "]", 0, "nested"),
    ("$" + "[?@" * 40 + "]" * 40, 0, "nested more than 32 levels"),
    ("$[?match(@, '" + "(a{1,1000}){1,1000}" + "')]", 13, "too large to be matched in time"),
    (r"$[?match(@, '\\d+')]", 13, "write [0-9]"),
    ("$[?search(@, '(?=a)')]", 14, "has no meaning"),
    ("$[?search(@, 'a**')]", 14, "has no meaning"),
    ("$[?search(@, '(a')]", 14, "not closed"),
    ("$.a[?@.b", None, ""),
    ("$.a b", 4, "found 'b'"),
    ("$.a[?nosuch(@)]", 5, "not defined"),
    ("$.a[?length(@..b) > 1]", None, "ValueType"),
    ("data.a", 0, "starts with $"),
    ("", 0, "starts with $"),
]


@pytest.mark.parametrize(("text", "at", "message"), REFUSED)
def test_a_path_that_is_none_or_cannot_be_bounded_is_refused_with_its_place(text, at, message) -> None:
    with pytest.raises(TransformError, match=r"“path”, column [0-9]+: ") as caught:
        compile_transform({"kind": "partial", "path": text})
    assert message in str(caught.value)
    if at is not None:
        assert f"“path”, column {at + 1}: " in str(caught.value)


def test_a_long_chain_of_conditions_is_no_nesting() -> None:
    chain = " && ".join(f"@.a != {n}" for n in range(60))
    event = Event({}, b'{"l": [{"a": 61}, {"a": 5}]}')
    assert parse_json_path(f"$.data.l[?{chain}]").value(Reading(event)) == [{"a": 61}]


def test_the_root_is_the_whole_event() -> None:
    event = Event({"id": "1", "type": "t", "tenant": "x"}, b'{"a": [1, {"b": 1.50}]}')
    found = {
        text: parse_json_path(text).value(Reading(event))
        for text in (
            "$.type",
            "$['tenant']",
            "$.data.a[-1].b",
            "$..b",
            "$.nosuch",
            "$.data.a[7]",
            "$[?@ == 't']",
        )
    }
    assert [repr(value) for value in found.values()] == [
        "'t'",
        "'x'",
        "1.50",
        "[1.50]",
        "ABSENT",
        "ABSENT",
        "['t']",
    ]


def test_an_event_without_data_has_none_at_its_root() -> None:
    assert parse_json_path("$.*").value(Reading(Event({"id": "1"}, None))) == ["1"]
    assert parse_json_path("$.*").value(Reading(Event({"id": "1"}, b"null"))) == ["1", None]


def test_comparing_is_by_value_and_true_is_not_one() -> None:
    event = Event({}, b'{"l": [1, 1.0, 1.00, true, [true], [1], {"a": false}, {"a": 0}, "1"]}')

    def found(condition: str) -> object:
        return parse_json_path(f"$.data.l[?{condition}]").value(Reading(event))

    assert found("@ == 1") == [1, 1.0, 1.0]
    assert found("@ == $.data.l[5]") == [[1]]
    assert found("@ == $.data.l[6]") == [{"a": False}]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "", "ab", 0.5, 1.0]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=25,
)
SEGMENTS = [
    ".a", ".b", "['c']", "[0]", "[-1]", "[1:]", "[::-1]", ".*", "[*]", "[0,-1,'a']", "..a", "..*", "..[0]",
    "[?@.a]", "[?@.a == 1]", "[?@ > 0 || @ == 'a']", "[?!@.b && @.a != $.a]", "[?length(@) >= 1]",
    "[?count(@.*) == 2]", "[?match(@, 'a.?')]", "[?search(@.a, 'b')]", "[?value(@..a) == 1]", "[?@.a <= @.b]",
]  # fmt: skip


@given(values, st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4))
def test_a_query_finds_what_the_library_finds(document, segments) -> None:
    if sum(segment.startswith("..") for segment in segments) > 2:
        segments = segments[:2]
    text = "$" + "".join(segments)
    wanted = jsonpath_rfc9535.find(text, document).values()
    assert compile_query(text).find(document, Steps(1_000_000)) == wanted


@given(values, st.lists(st.sampled_from(SEGMENTS[:6] + SEGMENTS[7:14]), max_size=4))
def test_a_partial_event_is_what_plain_evaluation_finds(data, segments) -> None:
    text = "$.data" + "".join(segments[:2])
    event = Event({"id": "1"}, json.dumps(data).encode())
    query = jsonpath_rfc9535.compile(text)
    nodes = query.find({"id": "1", "data": data}).values()
    wanted = nodes if not query.singular_query() else nodes[0] if nodes else None
    sent = json.loads(compile_transform({"kind": "partial", "path": text}).apply(event).body)
    assert sent == wanted
    named = compile_transform({"kind": "partial", "paths": {"it": text}, "missing": "omit"}).apply(event).body
    assert json.loads(named) == ({} if query.singular_query() and not nodes else {"it": wanted})


@given(values, st.integers(0, 60))
def test_a_query_never_takes_more_steps_than_it_is_granted(document, limit) -> None:
    steps = Steps(limit)
    try:
        compile_query("$..[?@.a || @..b]").find(document, steps)
    except TooManySteps:
        assert steps.left < 0
    else:
        assert steps.left >= 0
