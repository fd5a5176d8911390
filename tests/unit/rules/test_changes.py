"""What changed between revisions, in words and as JSON, without secrets."""

from __future__ import annotations

from typing import Any

import pytest

from rules import changes, registry
from rules.models import RuleRevision, TargetRevision

SCHEMA = {
    "properties": {
        "url": {"type": "string", "title": "URL"},
        "password": {"type": "string", "writeOnly": True},
        "headers": {"type": "object", "additionalProperties": {"type": "string", "writeOnly": True}},
    }
}


@pytest.fixture(autouse=True)
def a_connector() -> None:
    registry.register("test-post", "Post", "mail", SCHEMA, lambda config: "post")


def rule(**values: Any) -> RuleRevision:
    made = {"rule_id": 1, "number": 1, "name": "Orders", "pattern": {"type": ["a"]}, "enabled": True}
    return RuleRevision(**made | values)


def target(**values: Any) -> TargetRevision:
    made = {
        "target_id": 1,
        "number": 1,
        "name": "Billing",
        "connector": "test-post",
        "transform": {"kind": "complete"},
    }
    return TargetRevision(**made | values)


NUMBER = {"type": ["a"], "data": {"n": [{"numeric": [">=", 500]}]}}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({}, {}, []),
        ({}, {"name": "Sales"}, ["The name became “Sales”; it was “Orders”."]),
        ({}, {"enabled": False}, ["It was switched off."]),
        ({"enabled": False}, {}, ["It was switched on again."]),
        ({"enabled": False, "draft": True}, {}, ["It started to listen."]),
        (
            {},
            {"pattern": {"type": ["b"]}},
            ["It listens to b too.", "It no longer listens to a."],
        ),
        ({}, {"pattern": NUMBER}, ["Condition added: data.n number ≥ 500"]),
        ({"pattern": NUMBER}, {}, ["Condition taken out: data.n number ≥ 500"]),
        (
            {"pattern": NUMBER},
            {"pattern": {"type": ["a"], "data": {"n": [7]}}},
            ["Condition changed: data.n is one of 7; it was: data.n number ≥ 500"],
        ),
        ({}, {"pattern": {"type": ["a"], "data": {"n": [7, {"prefix": "x"}]}}}, ["The pattern was changed."]),
        (
            {},
            {"pattern": {"type": ["a"], "$or": [{"b": [1]}, {"c": [2]}]}},
            ["“Any of these” was changed."],
        ),
        ({}, {"sql": "EXISTS a"}, ["The CESQL expression was added: EXISTS a"]),
        ({"sql": "EXISTS a"}, {}, ["The CESQL expression was taken out: EXISTS a"]),
        ({}, {"filters": [{"exact": {"a": "b"}}]}, ["The list of filters was changed."]),
        ({}, {"target_ids": [4]}, ["Target added: Billing"]),
        ({"target_ids": [4, 5]}, {"target_ids": [4]}, ["Target taken away: #5"]),
        ({}, {"pattern": None}, ["The rule was deleted."]),
    ],
)
def test_changes_of_a_rule_are_said_in_words(
    before: dict[str, Any], after: dict[str, Any], words: list[str]
) -> None:
    assert changes.of_rule(rule(**before), rule(**after), {4: "Billing"}) == words


def test_the_first_revision_says_that_the_rule_was_made() -> None:
    assert changes.of_rule(None, rule(), {}) == ["The rule was made."]
    assert changes.of_rule(None, rule(draft=True, enabled=False), {}) == ["The rule was made as a draft."]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({}, {}, []),
        ({"config": {"url": "a"}}, {"config": {"url": "b"}}, ["URL became “b”; it was “a”."]),
        (
            {"config": {"password": "s3cret"}},
            {"config": {"password": "0ther"}},
            ["password: changed, not shown."],
        ),
        ({}, {"connector": "pigeon"}, ["It delivers by pigeon; it was Post."]),
        ({}, {"transform": {"kind": "constant", "value": 1}}, ["It sends as “constant”; it was “complete”."]),
        (
            {"transform": {"kind": "template", "template": "a\nb\n"}},
            {"transform": {"kind": "template", "template": "a\nc\nd\n"}},
            ["What is sent was changed: 2 lines added, 1 taken out."],
        ),
        (
            {"policy": {"max_attempts": 8}},
            {"policy": {"max_attempts": 3}},
            ["Policy, attempts: 3; it was 8."],
        ),
        ({}, {"contract": {"schema": "{}"}}, ["The contract was changed."]),
        ({"contract": {"schema": "{}"}}, {}, ["The contract was taken out."]),
    ],
)
def test_changes_of_a_target_are_said_in_words(
    before: dict[str, Any], after: dict[str, Any], words: list[str]
) -> None:
    assert changes.of_target(target(**before), target(**after)) == words


def test_the_json_of_a_change_has_signs_and_no_secret() -> None:
    config = {"url": "a", "password": "s3cret", "headers": {"X-Key": "k3y"}, "unknown": "wh0"}
    lines = changes.target_lines(target(config=config | {"url": "b"}), target(config=config))
    text = "\n".join(f"{line.sign} {line.text}" for line in lines)
    assert '-     "url": "b",' in text
    assert '+     "url": "a",' in text
    assert '"X-Key": "••••"' in text
    for secret in ("s3cret", "k3y", "wh0"):
        assert secret not in text


def test_only_lines_around_a_change_are_shown() -> None:
    pattern = {"type": ["a"], "data": {f"f{number}": [number] for number in range(30)}}
    changed = {"type": ["a"], "data": pattern["data"] | {"f15": ["x"]}}  # type: ignore[operator]
    lines = changes.rule_lines(rule(pattern=pattern), rule(pattern=changed))
    assert [line.text.strip() for line in lines if line.sign in "+-"] == ["15", '"x"']
    assert len(lines) == 10
    assert (lines[0].sign, lines[-1].sign) == ("…", "…")
    assert changes.rule_lines(rule(), rule()) == []


def test_a_secret_of_a_connector_that_is_not_installed_stays_hidden() -> None:
    assert changes.hide("pigeon", {"a": "x", "b": {"c": "y"}}) == {"a": "••••", "b": "••••"}
