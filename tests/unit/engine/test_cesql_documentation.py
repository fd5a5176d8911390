"""docs/cesql.md: every example in its tables does what it says, and every operator and function has one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from rules.engine import Event
from rules.engine.cesql import BUILT_IN, parse, parse_filter
from rules.engine.subscriptions import DIALECTS, parse_filters
from tests.vectors import REPOSITORY

TEXT = (REPOSITORY / "docs" / "cesql.md").read_text()
[EVENT_JSON] = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
EVENT = Event.from_json(EVENT_JSON.encode())


def rows(*head: str) -> list[tuple[str, str, str]]:
    """(first cell, second, third) of the rows of all tables whose head begins so; code without its backticks."""
    return list(_rows(head))


def _rows(head: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    inside = False
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif tuple(cells[: len(head)]) == head:
            inside = True
        elif inside and not cells[0].startswith("---"):
            assert re.fullmatch(r"`[^`]+`", cells[0]), line
            yield cells[0].strip("`"), cells[1].strip("`"), cells[2] if len(cells) > 2 else ""


GIVES = rows("expression", "gives")
ERRORS = rows("expression", "gives", "error")


def test_there_are_examples() -> None:
    assert len(GIVES) > 60
    assert len(ERRORS) > 10
    assert len(rows("expression", "takes the event")) >= 8
    assert len(rows("expression", "why not")) >= 4
    assert len(rows("filter", "takes the event")) >= 10


@pytest.mark.parametrize(("text", "value", "note"), GIVES)
def test_an_expression_gives_what_is_written(text, value, note) -> None:
    given, error = parse(text).evaluate(EVENT.attributes)
    assert json.dumps(given) == value
    if (text, value, note) in ERRORS:
        assert error is not None
        assert error.kind == note
    else:
        assert error is None


@pytest.mark.parametrize(("text", "answer", "note"), rows("expression", "takes the event"))
def test_a_filter_takes_the_event_or_not(text, answer, note) -> None:
    assert parse_filter(text).holds(EVENT) is {"yes": True, "no": False}[answer]


@pytest.mark.parametrize(("text", "sentence", "note"), rows("expression", "why not"))
def test_the_reason_is_given(text, sentence, note) -> None:
    failed = parse_filter(text).explain(EVENT).failed
    assert failed is not None
    assert failed.condition.sentence == sentence


@pytest.mark.parametrize(("text", "answer", "note"), rows("filter", "takes the event"))
def test_a_filter_of_the_subscriptions_api_takes_the_event_or_not(text, answer, note) -> None:
    assert parse_filters(f"[{text}]").holds(EVENT) is {"yes": True, "no": False}[answer]


@pytest.mark.parametrize("name", BUILT_IN.names)
def test_every_function_has_an_example(name) -> None:
    assert any(text.startswith(f"{name}(") for text, _, _ in GIVES)


OPERATORS = ["NOT", "-", "LIKE", "NOT LIKE", "EXISTS", "IN", "NOT IN", "*", "/", "%", "+"]
OPERATORS += ["=", "!=", "<>", "<", "<=", ">", ">=", "AND", "OR", "XOR"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_has_an_example(operator) -> None:
    [operators] = [part for part in TEXT.split("\n## ") if part.startswith("Operators")]
    examples = [text for text, _, _ in GIVES if f"| `{text}` |" in operators]
    assert any(f" {operator} " in f" {text} " for text in examples)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_an_example(dialect) -> None:
    assert any(text.startswith(f'{{"{dialect}"') for text, _, _ in rows("filter", "takes the event"))
