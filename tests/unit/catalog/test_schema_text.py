"""JSON text with places."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.schemas.text import DEPTH, NotJson, line_of, parse, pointer_of

BROKEN = [
    ('{"a": 1\n "b": 2}', 2, "comma"),
    ('{"a" 1}', 1, "colon"),
    ('{"a": 1,\n}', 2, "comma is too much"),
    ('{"a": }', 1, "value is missing"),
    ('{"a": 1} x', 1, "Remove x"),
    ('{"a": "b\n"}', 1, "line break"),
    ('{"a": "b', 1, "closing quote"),
    ('{"a": "\\q"}', 1, "backslash"),
    ('{\n"a": NaN}', 2, "NaN"),
    ('{\n"a": -Infinity}', 2, "Infinity"),
    ('{"a": 1,\n "b": {"c": 1,\n "c": 2}}', 3, "written twice"),
    ('{"a": 1,\n "b": -' + "1" * 5000 + "}", 2, "too many digits"),
    ("", 1, "empty"),
]


@pytest.mark.parametrize(("text", "line", "words"), BROKEN)
def test_a_syntax_error_is_told_with_its_line_and_a_remedy(text, line, words):
    with pytest.raises(NotJson) as caught:
        parse(text)
    assert caught.value.mistake.line == line
    assert words in caught.value.mistake.message


def test_nesting_beyond_the_limit_is_refused_and_up_to_it_accepted():
    parse("[" * DEPTH + "]" * DEPTH)
    for depth in (DEPTH + 1, 50_000):
        with pytest.raises(NotJson, match="nested"):
            parse("[" * depth + "]" * depth)


def test_a_pointer_leads_to_the_line_of_its_value():
    text = '{\n  "a/b": [\n    {"x": 1},\n    {"~": "{\\"no\\": [1]}",\n     "y": 2}\n  ]\n}'
    assert line_of(text, "") == 1
    assert line_of(text, "/a~1b/0/x") == 3
    assert line_of(text, "/a~1b/1/~0") == 4
    assert line_of(text, "/a~1b/1/y") == 5
    assert line_of(text, "/a~1b/1/missing") == 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def leaves(value, path=()):
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, child in children:
        yield from leaves(child, (*path, name))


@given(JSON)
def test_every_value_of_a_document_has_a_line_and_lines_never_go_back(value):
    text = json.dumps(value, indent=1)
    assert parse(text) == value
    lines = [line_of(text, pointer_of(path)) for path in leaves(value)]
    assert lines == sorted(lines)
    # One value per line when indented, so that each but the first begins on a line of its own.
    assert len(set(lines)) == len(lines)
