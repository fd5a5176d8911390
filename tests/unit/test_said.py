"""Sentences of the pure engines: English for programs, told in a language for people."""

from __future__ import annotations

from django.utils import translation

from catalog.languages.telling import told
from catalog.said import joined, said
from rules.engine import Event, explain


def test_a_sentence_is_english_and_can_be_told_otherwise_with_those_in_it() -> None:
    words = {"%(who)s saw %(what)s": "%(what)s ← %(who)s", "a fox": "狐", " and ": "和"}
    found = said("%(who)s saw %(what)s", who="Ann", what=joined([said("a fox"), "2%"], said(" and ")))
    assert found == "Ann saw a fox and 2%"
    assert found.told(lambda text: words.get(text, text)) == "狐和2% ← Ann"  # type: ignore[attr-defined]
    assert str(ValueError(found)) == found
    assert str(ValueError(found)).told(str) == found  # type: ignore[attr-defined]


def test_an_explanation_is_told_in_the_language_of_the_page() -> None:
    event = Event.from_json(b'{"type": "parcel.lost", "data": {"total": {"amount": 5}}}')
    pattern = {"data": {"total": {"amount": [{"numeric": [">=", 10, "<", 20]}]}}}
    failed = explain(pattern, event).failed
    assert failed is not None
    english = "data.total.amount is 5, the rule wants a number >= 10 and < 20"
    assert failed.sentence == english
    with translation.override("zh-hans"):
        assert told(failed.sentence) == "data.total.amount 为 5，规则要求数字 >= 10 和 < 20"
    assert told(failed.sentence) == english
    assert told("of no engine") == "of no engine"
