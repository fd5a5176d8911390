"""A pattern as text is written on in its own words, and loses nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rules.conditions import RowError, from_pattern, to_pattern, types_in_words
from rules.draft import Draft
from rules.engine import validate
from rules.models import Rule
from rules.pattern_text import asks_of_type, our_path, types_in, types_key, with_types, with_value

pytestmark = pytest.mark.django_db

AWS = {"detail-type": ["Order Placed"], "source": ["shop"], "detail": {"total": [{"numeric": [">", 5]}]}}


def test_the_names_of_aws_stand_for_ours() -> None:
    assert [our_path(one) for one in ("detail.a.b", "detail-type", " data.a ", "details", "detail")] == [
        "data.a.b", "type", "data.a", "details", "data",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "listed"),
    [
        (AWS, ["Order Placed"]),
        ({"type": ["a", {"prefix": "b"}]}, ["a"]),
        ({"$or": [{"type": ["a"]}, {"type": ["b"]}]}, []),
        ({"type": "a"}, None),
        ([], None),
    ],
)
def test_the_types_of_a_pattern_are_read_from_its_top(pattern: Any, listed: list[str] | None) -> None:
    assert types_in(json.dumps(pattern)) == listed


def test_a_pattern_is_asked_for_the_type_at_its_top_and_in_alternatives() -> None:
    assert asks_of_type(AWS)
    assert asks_of_type({"$or": [{"source": ["a"]}, {"type": ["b"]}]})
    assert not asks_of_type({"data": {"type": ["b"]}, "$or": [{"source": ["a"]}, {"subject": ["b"]}]})


def test_a_pattern_of_aws_shows_its_types_and_is_given_back_as_it_was() -> None:
    draft = Draft.of(Rule(pattern=AWS))
    assert (draft.mode, draft.types, [row.path for row in draft.rows]) == (
        "rows", ["Order Placed"], ["source", "detail.total"],
    )  # fmt: skip
    assert list(draft.pattern.items()) == list(AWS.items())
    assert draft.sampled == ["Order Placed"]
    types, rows = from_pattern(AWS)
    assert to_pattern(types, rows, {}, types_key(AWS)) == AWS
    # What is known of data.total is known of detail.total.
    with pytest.raises(RowError, match="is a number"):
        to_pattern([], [rows[1]._replace(method="is", values="much")], {"data.total": "number"})


def test_types_are_changed_under_the_name_that_the_pattern_has() -> None:
    changed = with_types(json.dumps(AWS), ["Order Sent"])
    assert json.loads(changed) == AWS | {"detail-type": ["Order Sent"]}
    assert "detail-type" not in json.loads(with_types(changed, []))
    assert json.loads(with_types('{"type": ["a", {"prefix": "b"}]}', ["c"])) == {
        "type": ["c", {"prefix": "b"}]
    }
    assert with_types("{", ["a"]) == "{"


def test_a_value_is_added_under_the_names_that_the_pattern_has() -> None:
    text = with_value(with_value(json.dumps(AWS), "data.currency", "SEK"), "type", "Order Sent")
    assert json.loads(text)["detail"]["currency"] == ["SEK"]
    assert json.loads(text)["detail-type"] == ["Order Placed", "Order Sent"]
    assert validate(text) == []
    assert json.loads(with_value("{}", "data.currency", "SEK")) == {"data": {"currency": ["SEK"]}}
    with pytest.raises(ValueError, match="in another way already"):
        with_value('{"data": {"total": [1]}}', "data.total.amount", 1)
    with pytest.raises(ValueError, match="Mend the pattern first"):
        with_value("{", "data.total", 1)


def test_a_condition_on_the_type_is_told_in_words_whatever_the_type_is_called() -> None:
    types, rows = from_pattern({"detail-type": [{"prefix": "Order"}]})
    assert (types, types_in_words(rows)) == ([], "Order…")
    with pytest.raises(RowError, match="above already say it"):
        to_pattern(["a"], rows, {})


def test_an_any_of_these_on_types_is_no_rule_on_every_event() -> None:
    draft = Draft.of(Rule(pattern={"$or": [{"type": ["a"]}, {"type": ["b"], "source": ["c"]}]}))
    assert (draft.types, draft.by_pattern, draft.sampled) == ([], True, ["a", "b"])
    assert not Draft.of(Rule(pattern={"source": ["c"]})).by_pattern
