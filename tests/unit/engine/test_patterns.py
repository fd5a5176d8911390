"""What a pattern may be, and what the message says when it is not."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine import PatternError, compile, validate

# (pattern text, pointer, line, part of the message)
REFUSED = [
    ("", "", 1, "not JSON at line 1, column 1"),
    ('{"type": ["a"],\n "b": }', "", 2, "not JSON at line 2, column 7"),
    ("[1]", "", 1, "a pattern is a JSON object"),
    ('{"type": "a"}', "/type", 1, 'written in a list: ["a"]'),
    ('{"data": {\n"total": 5}}', "/data/total", 2, "written in a list: [5]"),
    ('{"data": {\n\n"total": []}}', "/data/total", 3, "an empty list can never match"),
    ('{"data": {}}', "/data", 1, "an empty object asks for nothing"),
    ('{"data": {"a": ["x"],\n"a": ["y"]}}', "/data/a", 2, "written twice"),
    ('{"data": {"a": {"b": ["x"]},\n"a.b": ["y"]}}', "/data/a.b", 2, "is asked for at /data/a/b already"),
    ('{"detail": {"a": ["x"]},\n"data.a": ["y"]}', "/data.a", 2, "is asked for at /detail/a already"),
    ('{"data": {"a/b~c": [\n"x",\n["y"]]}}', "/data/a~1b~0c/1", 3, "not a list"),
    ('{"type": [{"prefix": 5}]}', "/type/0/prefix", 1, "`prefix` takes one string"),
    ('{"type": [{"suffix": ["a"]}]}', "/type/0/suffix", 1, "`suffix` takes one string"),
    (
        '{"type": [{"prefix": {"equals-ignore-case": 5}}]}',
        "/type/0/prefix/equals-ignore-case",
        1,
        "one string",
    ),
    ('{"type": [{"prefix": {"suffix": "a"}}]}', "/type/0/prefix", 1, "not an object; to ignore case write"),
    ('{"type": [{"suffix": {}}]}', "/type/0/suffix", 1, "not an object; to ignore case write"),
    ('{"type": [{"exists": "true"}]}', "/type/0/exists", 1, "`exists` takes true or false"),
    ('{"type": [{"exists": 1}]}', "/type/0/exists", 1, "`exists` takes true or false"),
    ('{"type": [{}]}', "/type/0", 1, "names an operator"),
    ('{"type": [{"prefix": "a", "suffix": 5}]}', "/type/0/suffix", 1, "takes one string"),
    ('{"type": [{"prefix": "a", "exists": true}]}', "/type/0/exists", 1, "stands alone"),
    ('{"type": [{"contains": ["a"]}]}', "/type/0/contains", 1, "`contains` takes one string"),
    ('{"type": [{"equals-ignore-case": ["a"]}]}', "/type/0/equals-ignore-case", 1, "takes one string"),
    ('{"type": [{"exactly": 5}]}', "/type/0/exactly", 1, "`exactly` takes one string"),
    ('{"type": [{"exactly": "\\ud800"}]}', "/type/0/exactly", 1, "surrogate"),
    ('{"type": [{"wildcard": 5}]}', "/type/0/wildcard", 1, "takes one string"),
    ('{"type": [{"wildcard": "\\udfff*"}]}', "/type/0/wildcard", 1, "surrogate"),
    ('{"type": [{"wildcard": "a**b"}]}', "/type/0/wildcard", 1, "two stars stand together at character 2"),
    ('{"type": [{"wildcard": "a\\\\b"}]}', "/type/0/wildcard", 1, "stands before 'b'"),
    ('{"type": [{"wildcard": "a\\\\"}]}', "/type/0/wildcard", 1, "a backslash stands at the end"),
    ('{"type": [{"wildcard": "' + "a*" * 13 + '"}]}', "/type/0/wildcard", 1, "13 stars: at most 12"),
    ('{"a": [{"numeric": 5}]}', "/a/0/numeric", 1, "`numeric` takes a list"),
    ('{"a": [{"numeric": []}]}', "/a/0/numeric", 1, "comparisons and numbers in turn"),
    ('{"a": [{"numeric": [">"]}]}', "/a/0/numeric", 1, "comparisons and numbers in turn"),
    ('{"a": [{"numeric": ["==", 5]}]}', "/a/0/numeric/0", 1, "no comparison; there are `=`, `!=`"),
    ('{"a": [{"numeric": [5, ">"]}]}', "/a/0/numeric/0", 1, "5 is no comparison"),
    ('{"a": [{"numeric": [">", 1, "<",\n"x"]}]}', "/a/0/numeric/3", 2, "after `<` stands a number"),
    (
        '{"a": [{"numeric": [">", 1, "<",\n"1000"]}]}',
        "/a/0/numeric/3",
        2,
        'write the number without quotes, as in ["<", 1000]',
    ),
    ('{"a": [{"numeric": ["=", true]}]}', "/a/0/numeric/1", 1, "not true"),
    ('{"a": [{"numeric": ["<", 2e422]}]}', "/a/0/numeric/1", 1, "at most 1.797e308"),
    ('{"a": [{"cidr": 5}]}', "/a/0/cidr", 1, "`cidr` takes one string"),
    (
        '{"a": [{"cidr": "example.com"}]}',
        "/a/0/cidr",
        1,
        "'example.com' is not an IP address; a block is written",
    ),
    ('{"a": [{"cidr": "10.0.0.01/8"}]}', "/a/0/cidr", 1, "is not an IP address"),
    ('{"a": [{"cidr": "10.0.0.0/33"}]}', "/a/0/cidr", 1, "0 to 32, not '33'"),
    ('{"a": [{"cidr": "::/129"}]}', "/a/0/cidr", 1, "0 to 128, not '129'"),
    ('{"a": [{"cidr": "10.0.0.0/"}]}', "/a/0/cidr", 1, "0 to 32, not ''"),
    ('{"a": [{"cidr": "10.0.0.0/-1"}]}', "/a/0/cidr", 1, "0 to 32"),
    ('{"a": [{"cidr": "10.0.0.0/8/8"}]}', "/a/0/cidr", 1, "0 to 32"),
    ('{"a": [{"cidr": "fe80::1%eth0/64"}]}', "/a/0/cidr", 1, "is not an IP address"),
    ('{"a": [{"anything-but": {}}]}', "/a/0/anything-but", 1, "names one operator"),
    (
        '{"a": [{"anything-but": {"prefix": "a", "suffix": "b"}}]}',
        "/a/0/anything-but",
        1,
        "names one operator",
    ),
    ('{"a": [{"anything-but": {"exists": true}}]}', "/a/0/anything-but", 1, "excludes values or one of"),
    ('{"a": [{"anything-but": ["a",\n["b"]]}]}', "/a/0/anything-but/1", 2, "lists strings, numbers"),
    ('{"a": [{"anything-but": [1e999]}]}', "/a/0/anything-but/0", 1, "too large"),
    (
        '{"a": [{"anything-but": {"prefix": ""}}]}',
        "/a/0/anything-but/prefix",
        1,
        "every string has the prefix",
    ),
    ('{"a": [{"anything-but": {"suffix": ["a", ""]}}]}', "/a/0/anything-but/suffix/1", 1, "every string has"),
    ('{"a": [{"anything-but": {"prefix": []}}]}', "/a/0/anything-but/prefix", 1, "excludes nothing"),
    ('{"a": [{"anything-but": {"wildcard": ["a", 5]}}]}', "/a/0/anything-but/wildcard/1", 1, "one string"),
    ('{"a": [{"anything-but": {"numeric": [">"]}}]}', "/a/0/anything-but/numeric", 1, "in turn"),
    ('{"$or": [{"a": [1]}]}', "/$or", 1, "at least two patterns"),
    ('{"$or": [{"a": [1]}, "b"]}', "/$or/1", 1, "lists patterns, which are objects, not a string"),
    ('{"$or": [{"a": [1]},\n{}]}', "/$or/1", 2, "an empty pattern takes everything"),
    ('{"$or": [{"a": [1]}, {"prefix": ["b"]}]}', "/$or/1/prefix", 1, "cannot name a field directly in `$or`"),
    ('{"$or": [{"a": [1]}, {"b": 5}]}', "/$or/1/b", 1, "written in a list: [5]"),
    ('{"a": [1], "$or": [{"a": [2]}, {"b": [1]}]}', "/$or/0/a", 1, "is asked for at /a already"),
    ('{"$or": [{"a": [2]}, {"b": [1]}],\n"b": [1]}', "/b", 2, "is asked for at /$or/1/b already"),
    ('{"x": {"$or": [{"a": [2]}, {"b": [1]}]}, "x.a": [1]}', "/x.a", 1, "is asked for at /x/$or/0/a already"),
    ('{"$or": {"a": 5}}', "/$or/a", 1, "written in a list: [5]"),
    ('{"$or": []}', "/$or", 1, "an empty list can never match"),
    ('{"type": [NaN]}', "", None, "NaN is not JSON"),
    ('{"type": [1e400]}', "/type/0", 1, "the number is too large"),
    ('{"type": ["\\ud800"]}', "/type/0", 1, "surrogate"),
    ('{"\\ud800": ["a"]}', "/\ud800", 1, "surrogate"),
    ('{"a":' * 33 + '["x"]' + "}" * 33, "/a" * 33, 1, "at most 32 levels"),
    ('{"' + "a." * 40 + 'a": ["x"]}', "/" + "a." * 40 + "a", 1, "at most 32 levels"),
    ("[" * 100_000, "", None, "at most 65,536"),
    ("[" * 60_000, "", None, "at most 32 levels"),
    ('{"' + "a" * 1025 + '": ["x"]}', "/" + "a" * 1025, 1, "at most 1,024"),
    (json.dumps({"type": list(range(10_001))}), "/type", 1, "at most that many"),
    (json.dumps({"type": ["a" * 65_530]}), "", None, "at most 65,536"),
]


@pytest.mark.parametrize(("text", "pointer", "line", "message"), REFUSED)
def test_what_is_wrong_is_named_with_its_place(text, pointer, line, message) -> None:
    problem = validate(text)[0]
    assert (problem.pointer, problem.line) == (pointer, line)
    assert message in problem.message
    with pytest.raises(PatternError):
        compile([(1, text)])


@pytest.mark.parametrize("operator", ["regex", "Prefix", "shellstyle"])
def test_an_operator_that_is_not_there_is_refused_with_those_that_are(operator) -> None:
    [problem] = validate({"data": {"a": ["x", {operator: "x"}]}})
    assert problem.pointer == "/data/a/1"
    assert problem.line is None
    assert problem.message == (
        f"`{operator}` is not understood here; understood are: exact values, `prefix`, `suffix`, `contains`, "
        "`equals-ignore-case`, `wildcard`, `cidr`, `numeric`, `exactly`, `anything-but`, `exists`"
    )


def test_combinations_of_or_are_limited() -> None:
    def ors(sizes: list[int]) -> dict[str, object]:
        return {
            f"f{number}": {"$or": [{f"a{entry}": [1]} for entry in range(size)]}
            for number, size in enumerate(sizes)
        }

    assert validate(ors([10, 10, 10])) == []
    [problem] = validate(ors([10, 10, 11]))
    assert problem.pointer == "/f2/$or"
    assert problem.message.startswith(
        "this `$or` makes 1,100 combinations with those before it: at most 1,000"
    )
    wide = {f"b{number}": [1] for number in range(30)}
    assert "more than 20,000 conditions" in validate({**wide, **ors([10, 10, 10])})[0].message
    assert "more than 20,000 conditions" in validate({**ors([10, 10, 10]), **wide})[0].message
    nested: dict[str, object] = {"a": [1]}
    for number in range(33):
        nested = {"$or": [nested, {f"b{number}": [1]}]}
    assert "at most 32 levels" in validate(nested)[0].message


def test_everything_wrong_is_listed_in_order() -> None:
    problems = validate('{"a": 1, "b": [{"x": 1}, []], "c": {"d": []}}')
    assert [problem.pointer for problem in problems] == ["/a", "/b/0", "/b/1", "/c/d"]


@pytest.mark.parametrize(
    "pattern",
    [
        "{}",
        b'{"type": ["\xc3\xa9"]}',
        {"type": ["a", 1, 1.5, True, None, {"prefix": ""}, {"suffix": ""}, {"exists": False}]},
        {"data": {"a": {"b": ["x"]}, "a.c": ["x"]}, "data.d": [1]},
        '{"a":' * 32 + '["x"]' + "}" * 32,
        {"type": list(range(10_000))},
        {"a" * 1024: ["x"]},
        {"": ["x"]},
        {"a": [{"prefix": "a", "suffix": "b", "anything-but": ["acb"]}]},
        {"a": [{"numeric": [">", 5, "<", 3]}]},
        {"a": [{"anything-but": [None, True, "x", 1]}]},
        {"$or": [{"a": [1]}, {"$or": [{"b": [1]}, {"c": [1]}]}], "d": {"$or": [{"a": [1]}, {"b": [1]}]}},
        {"$or": ["a", "b"]},  # without patterns in it, `$or` is a field's name
        {"$or": [{"prefix": "a"}, {"prefix": "b"}]},
        {"$or": {"a": ["x"]}},
        {"prefix": ["a"], "data": {"$or": [{"a": {"prefix": ["a"]}}, {"b": [1]}]}},
        {"a": [{"wildcard": "a*" * 12}]},
    ],
)
def test_valid_patterns(pattern) -> None:
    assert validate(pattern) == []


def test_patterns_made_in_python_are_checked_as_well() -> None:
    circle: dict[str, object] = {}
    circle["a"] = circle
    assert "at most 32 levels" in validate(circle)[0].message
    assert "names are strings" in validate({1: ["a"]})[0].message  # type: ignore[dict-item]
    assert "not JSON" in validate({"a": [object()]})[0].message
    assert "too large" in validate({"a": [10**5000]})[0].message
    assert "too large" in validate({"a": [float("nan")]})[0].message
    assert "must be UTF-8 text: byte 2 is not" in validate(b'{"\xff": []}')[0].message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "a",
                    "a.a",
                    "prefix",
                    "exists",
                    "$or",
                    "numeric",
                    "cidr",
                    "wildcard",
                    "anything-but",
                    "detail",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_validate_answers_for_any_json_and_agrees_with_compile(value) -> None:
    text = json.dumps(value)
    problems = validate(text)
    if not problems:
        assert len(compile([(1, text)])) == 1
        return
    with pytest.raises(PatternError) as caught:
        compile([(1, text)])
    assert caught.value.message == problems[0].message


def test_the_line_of_a_place_survives_any_layout() -> None:
    rng = random.Random(3)

    def gap() -> str:
        return rng.choice(["", " ", "\n", "\n\t\n"])

    def write(value: object) -> str:
        if isinstance(value, dict):
            members = (
                f"{gap()}{json.dumps(key)}{gap()}:{gap()}{write(inner)}" for key, inner in value.items()
            )
            return "{" + f"{gap()},".join(members) + gap() + "}"
        if isinstance(value, list):
            return "[" + f"{gap()},".join(gap() + write(inner) for inner in value) + gap() + "]"
        return json.dumps(value)

    pattern = {"a": ['x"\n{', {"prefix": "{[,\\"}], "b": {"c": [1, {"prefix": 77}], "d": [None]}}
    for _ in range(50):
        text = gap() + write(pattern) + gap()
        [problem] = validate(text)
        assert problem.pointer == "/b/c/1/prefix"
        assert problem.line == text.count("\n", 0, text.rindex('"prefix"')) + 1
