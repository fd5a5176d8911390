"""How the API refuses: everything wrong, with its place, as problem documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog.api import asking
from tests.integration.rules_api.asking import CONVERT, DEEP, EXPLAIN, PREVIEW, TEST, answer, event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("url", "body", "pointer", "words"),
    [
        (TEST, {"event": event()}, "/pattern", "Send a pattern"),
        (TEST, {"pattern": {}}, "", "exactly one of “event”, “events”, “bus”"),
        (TEST, {"pattern": {}, "event": event(), "events": []}, "/events", "exactly one"),
        (TEST, {"pattern": {}, "event": event(), "last": 3}, "/last", "name it"),
        (TEST, {"pattern": {}, "events": []}, "/events", "1 to 1,000"),
        (TEST, {"pattern": {}, "events": [{}] * 1001}, "/events", "1 to 1,000"),
        (TEST, {"pattern": {}, "events": {}}, "/events", "a list"),
        (TEST, {"pattern": {}, "events": [event(), 3]}, "/events/1", "one JSON object"),
        (TEST, {"pattern": {}, "event": event(n=1.5)}, "/event", "must be a string"),
        (TEST, {"pattern": {"type": "a"}, "event": event()}, "/pattern/type", "in a list"),
        (TEST, {"pattern": [], "event": event()}, "/pattern", "a JSON object"),
        (TEST, {"pattern": {}, "bus": "nowhere"}, "/bus", "no bus called “nowhere”"),
        (TEST, {"pattern": {}, "bus": 3}, "/bus", "no bus called"),
        (TEST, {"pattern": {}, "bus": "main", "last": 0}, "/last", "1 to 1,000"),
        (TEST, {"pattern": {}, "bus": "main", "last": True}, "/last", "1 to 1,000"),
        (TEST, {"pattern": {}, "bus": "main", "last": 1001}, "/last", "1 to 1,000"),
        (TEST, {"pattern": {}, "event": event(), "dry/run": 1}, "/dry~1run", "means nothing here"),
        (EXPLAIN, {"rule": 99, "event": event()}, "/rule", "no rule 99"),
        (EXPLAIN, {"rule": "x", "event": event()}, "/rule", "integer"),
        (EXPLAIN, {"pattern": {}, "seq": 99}, "/seq", "no event 99"),
        (EXPLAIN, {"pattern": {}, "rule": 1, "event": event()}, "/rule", "not both"),
        (TEST, {"sql": 3, "event": event()}, "/sql", "the text of an expression"),
        (TEST, {"filters": [], "event": event(), "sql": "a ="}, "/sql", ""),
        (TEST, {"filters": [{"exact": {}}], "event": event()}, "/filters/0/exact", ""),
        (TEST, {"filters": {}, "event": event()}, "/filters", ""),
        (PREVIEW, {"event": event()}, "/transform", "Send a transform"),
        (PREVIEW, {"transform": {"kind": "magic"}, "event": event()}, "/transform/kind", "no kind of transform"),
        (PREVIEW, {"transform": {"InputPath": "$.detail"}, "event": event()}, "/transform", "convert it first"),
        (PREVIEW, {"InputPathsMap": {}, "InputTemplate": "", "event": event()}, "/InputPathsMap", "convert it first"),
        (PREVIEW, {"transform": {"kind": "template", "template": '{"a": <order>}'}, "event": event()}, "/transform/template", "write ${order}, or convert it"),
        (CONVERT, {}, "", "exactly one of “aws”, “alibaba”"),
        (CONVERT, {"aws": "$.detail"}, "/aws", "an object"),
        (CONVERT, {"aws": {"InputPath": "$.account"}}, "/aws/InputPath", "no counterpart"),
        (CONVERT, {"aws": {"InputPathsMap": {"a/b": "detail"}, "InputTemplate": "<a/b>"}}, "/aws/InputPathsMap/a~1b", "starts with $"),
        (CONVERT, {"aws": {"InputTransformer": {"InputTemplate": "<aws.events.rule-arn>"}}}, "/aws/InputTransformer/InputTemplate", "has no counterpart"),
        (CONVERT, {"aws": {"InputTemplate": "<order>"}}, "/aws/InputTemplate", "no path in InputPathsMap"),
        (CONVERT, {"aws": {"Input": "{}", "InputPath": "$"}}, "/aws/InputPath", "only one of"),
        (CONVERT, {"aws": {"inputpath": "$"}}, "/aws", "no transform of AWS"),
        (CONVERT, {"alibaba": {"form": "DELETE_FIELD"}}, "/alibaba", "a TransformParam is"),
        (PREVIEW, {"transform": {"kind": "complete"}}, "", "exactly one of “event”, “seq”"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(
    someone: Client, url: str, body: Any, pointer: str, words: str
) -> None:
    problem = answer(someone, url, body, 422)
    assert problem["type"] == "urn:signalbox:problem:invalid"
    assert (problem["status"], problem["title"]) == (422, "Not understood")
    assert problem["errors"][0]["pointer"] == pointer
    assert words in problem["errors"][0]["detail"]
    assert problem["errors"][0]["detail"] in problem["detail"]


def test_everything_wrong_is_told_at_once(someone: Client) -> None:
    body = {"pattern": {"type": "a", "source": []}, "events": [1, event(), 2], "extra": 1}
    problem = answer(someone, TEST, body, 422)
    pointers = [one["pointer"] for one in problem["errors"]]
    assert pointers == ["/extra", "/pattern/type", "/pattern/source", "/events/0", "/events/2"]


def test_a_pattern_written_as_text_is_told_by_line_and_column(someone: Client) -> None:
    text = '{\n  "type": ["a"],\n  "source": "b"\n}'
    (wrong,) = answer(someone, TEST, {"pattern": text, "event": event()}, 422)["errors"]
    assert (wrong["pointer"], wrong["line"]) == ("/pattern/source", 3)
    (wrong,) = answer(someone, TEST, {"pattern": '{\n  "type": oops}', "event": event()}, 422)["errors"]
    assert (wrong["pointer"], wrong["line"], wrong["column"]) == ("/pattern", 2, 11)


def test_a_key_twice_in_a_pattern_is_refused_also_inside_the_request(someone: Client) -> None:
    body = '{"pattern": {"type": ["a"], "type": ["b"]}, "event": {}}'
    (wrong,) = answer(someone, TEST, body, 422)["errors"]
    assert wrong["pointer"] == "/pattern/type"


def test_a_mistake_in_a_template_is_told_by_line_and_column(someone: Client) -> None:
    transform = {"kind": "template", "template": '{\n  "a": "${data.}"\n}'}
    (wrong,) = answer(someone, PREVIEW, {"transform": transform, "event": event()}, 422)["errors"]
    assert wrong["pointer"] == "/transform/template"
    assert wrong["line"] == 2
    assert wrong["column"] > 1


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [('{"pattern": {},\n "event": }', 2, 11), ("", 1, 1), ('{"a": 1', 1, 8)],
)
def test_a_request_that_is_no_json_is_told_by_line_and_column(
    someone: Client, body: str, line: int, column: int
) -> None:
    problem = answer(someone, TEST, body, 400)
    assert (problem["line"], problem["column"]) == (line, column)
    assert problem["type"] == "urn:signalbox:problem:malformed"


@pytest.mark.parametrize("body", ["[]", "3", b'{"a": "\xff"}', "[" * 100_000, DEEP])
def test_a_request_that_is_no_object_is_refused(someone: Client, body: Any) -> None:
    answer(someone, TEST, body, 400)


def test_a_request_that_is_too_large_is_refused(someone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_BYTES", 100)
    problem = answer(someone, TEST, {"pattern": {}, "event": event(id="x" * 100)}, 413)
    assert "100 bytes" in problem["detail"]


def test_other_methods_types_and_addresses_are_refused_as_problems(someone: Client) -> None:
    response = someone.get(TEST)
    assert (response.status_code, response.headers["Content-Type"]) == (405, "application/problem+json")
    assert "POST" in response.headers["Allow"]
    response = someone.post(TEST, {"pattern": "{}"})
    assert (response.status_code, response.headers["Content-Type"]) == (415, "application/problem+json")
    assert answer(someone, "/api/v1/nothing", {}, 404)["type"] == "urn:signalbox:problem:not-found"


def test_a_failure_of_ours_is_a_problem_document_and_is_logged(
    someone: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("the spring is broken")

    monkeypatch.setattr("rules.api.patterns.compile", broken)
    problem = answer(someone, TEST, {"pattern": {}, "event": event()}, 500)
    assert "spring" not in json.dumps(problem)
    assert "the spring is broken" in caplog.text
