"""What is written can be read again, by any parser; and keys are allowed and different."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.exports.keys import COMPONENT, XREGISTRY, keys
from catalog.exports.writing import Members, json_pieces, plain, yaml_pieces

# What YAML reads as something else when it is not quoted, or folds, or takes for an end.
TRAPS = st.sampled_from(
    [
        *("yes", "on", "~", "null", "1e3", "1.5", "0x1f", ".inf", "12:30", "2026-01-01", "=", "<<"),
        *(
            "- x",
            "a: b",
            "a #b",
            "#",
            "---",
            "a\nb",
            "a\nb\n",
            "a\n\n b\n\n",
            "a\n \n b ",
            " a\nb",
            "a\tb\n\tc",
        ),
        *("k" * 1500, "\ud800", "𐀀"),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.text() | TRAPS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | TRAPS, inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=60)
@given(VALUES)
def test_json_and_yaml_are_read_as_what_was_written(value: Any) -> None:
    document = Members(
        lambda: [("k", value), ("none", Members(list)), ("n", Members.of({"x": value, "gone": None, "y": 1}))]
    )
    wanted = {"k": value, "none": {}, "n": {name: v for name, v in (("x", value), ("y", 1)) if v is not None}}
    assert plain(document) == wanted
    assert json.loads(b"".join(json_pieces(document))) == wanted
    assert yaml.safe_load(b"".join(yaml_pieces(document)).decode()) == wanted
    assert list(yaml.safe_load_all(b"".join(yaml_pieces([value], document)).decode())) == [[value], wanted]


def test_a_large_document_comes_in_pieces() -> None:
    document = Members(lambda: ((f"member-{number}", "x" * 1000) for number in range(1000)))
    for pieces in (list(json_pieces(document)), list(yaml_pieces(document))):
        assert len(pieces) > 10
        assert max(map(len, pieces)) < 70_000


def test_what_people_read_in_yaml_is_not_quoted() -> None:
    text = b"".join(
        yaml_pieces({"$ref": "order.placed", "url": "https://a.example/b?c", "docs": "# A\n  b\n"})
    ).decode()
    assert text == '$ref: order.placed\nurl: "https://a.example/b?c"\ndocs: |\n  # A\n    b\n'


NAMES = st.lists(
    st.text("abAB./:_-1", min_size=1, max_size=6) | st.text(min_size=1, max_size=200), unique=True
)


@given(NAMES, st.booleans())
def test_keys_are_allowed_and_different_and_names_that_are_allowed_stay(names: list[str], fold: bool) -> None:
    refused = XREGISTRY if fold else COMPONENT
    found = keys(names, refused, 40, fold)
    assert len({key.lower() if fold else key for key in found}) == len(names)
    for name, key in zip(names, found, strict=True):
        assert len(key) <= 40
        assert not refused.search(key)
        if not refused.search(name) and len(name) <= 40 and not fold:
            assert key == name


def test_a_key_does_not_depend_on_its_neighbours() -> None:
    [alone] = keys(["a/b"])
    assert keys(["x", "a/b", "a:b", "a_b"])[1] == alone
    assert re.fullmatch(r"a_b-[0-9a-f]{8}", alone)
    # Whoever registers just that name takes nothing away.
    assert keys([alone, "a/b"])[1] not in (alone, "a/b")
