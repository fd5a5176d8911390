"""The examples of docs/patterns.md are true, and every operator has one."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest

from rules.engine import compile, explain, read_event, validate
from rules.engine.operators import OPERATORS
from tests.vectors import REPOSITORY

PAGE = (REPOSITORY / "docs" / "patterns.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```json (pattern|takes|does not take)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A pattern as written, and events with whether it takes them."""

    pattern: str
    events: list[tuple[str, bool]]


def examples() -> list[Example]:
    found: list[Example] = []
    for kind, text in BLOCK.findall(PAGE):
        if kind == "pattern":
            found.append(Example(text.strip(), []))
        else:
            found[-1].events.extend((line, kind == "takes") for line in text.strip().splitlines())
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.pattern[:60])
def test_an_example_of_the_page_is_true(example) -> None:
    assert validate(example.pattern) == []
    assert {taken for _, taken in example.events} == {True, False}, (
        "events of both kinds belong to each pattern"
    )
    matcher = compile([(1, example.pattern)])
    for text, taken in example.events:
        event = read_event(text.encode())
        assert matcher.match(event) == ([1] if taken else []), text
        assert explain(example.pattern, event).matched is taken, text


def test_all_examples_together_do_not_disturb_each_other() -> None:
    page = examples()
    matcher = compile(enumerate(example.pattern for example in page))
    for number, example in enumerate(page):
        for text, taken in example.events:
            assert (number in matcher.match(read_event(text.encode()))) is taken


def test_no_block_of_the_page_is_left_out() -> None:
    assert len(BLOCK.findall(PAGE)) == PAGE.count("```json")
    assert len(examples()) > 25


@pytest.mark.parametrize("operator", [*OPERATORS, "$or"])
def test_every_operator_has_an_example(operator) -> None:
    assert any(f'"{operator}"' in json.dumps(json.loads(example.pattern)) for example in examples())
    assert f"`{operator}`" in PAGE
