"""What docs/rules.md says of conditions is what they do."""

from __future__ import annotations

import json
import re

import pytest

from rules.conditions import METHODS, Row, to_pattern
from rules.engine import validate
from rules.method_words import word
from tests.vectors import REPOSITORY

LINE = re.compile(
    r"^\| `(?P<field>[^`]+)` \| (?P<method>[^|]+) \| (?:`(?P<values>[^|]*)`)? ?\| `(?P<pattern>\{.*\})` \|$"
)
TEXT = (REPOSITORY / "docs" / "rules.md").read_text()
ROWS = [found for line in TEXT.splitlines() if (found := LINE.match(line))]
NAMES = {word(method): method for method in METHODS}


@pytest.mark.parametrize("line", ROWS, ids=lambda line: f"{line['method']} {line['values']}")
def test_a_documented_condition_is_the_documented_pattern(line: re.Match[str]) -> None:
    row = Row(line["field"], NAMES[line["method"]], line["values"] or "")
    assert to_pattern([], [row], {}) == json.loads(line["pattern"])
    assert validate(line["pattern"]) == []


def test_every_method_that_is_offered_is_documented() -> None:
    assert {NAMES[line["method"]] for line in ROWS} == set(METHODS)
