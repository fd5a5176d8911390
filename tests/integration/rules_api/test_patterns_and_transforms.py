"""What the API answers: patterns tried and explained, transforms shown and converted."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest
from django.test import Client

from catalog.models import Bus
from tests.integration import rows as write
from tests.integration.rules_api.asking import CONVERT, EXPLAIN, PREVIEW, SEK, TEST, answer, event

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_event_is_told_whether_the_pattern_takes_it_and_what_failed(someone: Client) -> None:
    found = answer(someone, TEST, {"pattern": SEK, "events": [event(id="a"), event("EUR", id="b")]})
    assert (found["matched"], found["looked_at"]) == (1, 2)
    first, second = found["events"]
    assert first == {"id": "a", "matched": True}
    assert (second["id"], second["matched"], second["failed"]["path"]) == ("b", False, "data.currency")
    assert second["failed"]["seen"] == "EUR"
    assert second["failed"]["sentence"] == 'data.currency is "EUR", the rule wants "SEK"'


def test_one_event_is_enough_and_the_pattern_may_be_text(someone: Client) -> None:
    assert answer(someone, TEST, {"pattern": json.dumps(SEK), "event": event()})["matched"] == 1


def test_a_pattern_is_tried_on_the_newest_events_of_a_bus(someone: Client, town: SimpleNamespace) -> None:
    for currency in ("SEK", "EUR", "SEK"):
        write.store(town.bus.pk, data={"currency": currency})
    write.store(Bus.objects.create(name="other").pk, data={"currency": "SEK"})
    found = answer(someone, TEST, {"pattern": SEK, "bus": "main"})
    assert (found["matched"], found["looked_at"]) == (2, 3)
    assert [line["matched"] for line in found["events"]] == [True, False, True]
    seqs = [line["seq"] for line in found["events"]]
    assert seqs == sorted(seqs, reverse=True)
    assert answer(someone, TEST, {"pattern": SEK, "bus": "main", "last": 2})["looked_at"] == 2


def test_the_newest_events_are_bounded_in_bytes(
    someone: Client, town: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.tracking.stored.PART", 2)
    monkeypatch.setattr("delivery.tracking.stored.BYTES", 300)
    for _ in range(10):
        write.store(town.bus.pk, data={"pad": "x" * 100})
    assert answer(someone, TEST, {"pattern": {}, "bus": "main"})["looked_at"] == 2


def test_every_condition_is_explained(someone: Client) -> None:
    pattern = {"type": ["order.placed"], "data": {"currency": ["SEK"], "total": [{"exists": True}]}}
    found = answer(someone, EXPLAIN, {"pattern": pattern, "event": event("EUR")})
    assert not found["matched"]
    assert found["failed"] == found["conditions"][1]
    assert [one["ok"] for one in found["conditions"]] == [True, False, False]
    assert found["conditions"][1]["seen"] == "EUR"
    assert "seen" not in found["conditions"][2]


def test_a_rule_is_explained_for_an_event_of_the_log(someone: Client, town: SimpleNamespace) -> None:
    seq = write.store(town.bus.pk, data={"currency": "EUR"})
    found = answer(someone, EXPLAIN, {"rule": town.rule.pk, "seq": seq})
    assert not found["matched"]
    assert found["rule"] == {
        "id": town.rule.pk, "name": "Swedish orders", "revision": 1, "listening": True,
    }  # fmt: skip
    elsewhere = write.store(Bus.objects.create(name="other").pk, data={})
    refused = answer(someone, EXPLAIN, {"rule": town.rule.pk, "seq": elsewhere}, 422)
    assert refused["errors"][0]["pointer"] == "/seq"


def test_all_parts_of_a_filter_must_hold(someone: Client) -> None:
    events = [event(id="a", subject="s1"), event(id="b", subject="s2"), event("EUR", id="c", subject="s1")]
    parts = {"pattern": SEK, "sql": "id <> 'z'", "filters": [{"exact": {"subject": "s1"}}]}
    found = answer(someone, TEST, parts | {"events": events})
    assert [line["matched"] for line in found["events"]] == [True, False, False]
    assert found["events"][1]["failed"]["pointer"].startswith("/filters/0")
    assert found["events"][2]["failed"]["pointer"] == "/pattern/data/currency"
    assert answer(someone, TEST, {"sql": "subject = 's2'", "events": events})["matched"] == 1


def test_an_expression_is_explained_by_line_and_column(someone: Client) -> None:
    found = answer(someone, EXPLAIN, {"sql": "id = 'e1' AND\n  subject = 's1'", "event": event(subject="s2")})
    assert [one["ok"] for one in found["conditions"]] == [True, False]
    failed = found["failed"]
    assert (failed["pointer"], failed["line"], failed["column"]) == ("/sql", 2, 3)
    inside = {"filters": [{"all": [{"sql": "id = 'e1' AND\n subject = 's1'"}]}], "event": event(subject="s2")}
    failed = answer(someone, EXPLAIN, inside)["failed"]
    assert (failed["pointer"], failed["line"], failed["column"]) == ("/filters/0/all/0/sql", 2, 2)


def test_a_mistake_in_an_expression_is_told_by_line_and_column(someone: Client) -> None:
    (wrong,) = answer(someone, TEST, {"sql": "id = 'e1' AND\n  = 's1'", "event": event()}, 422)["errors"]
    assert (wrong["pointer"], wrong["line"], wrong["column"]) == ("/sql", 2, 3)


def test_only_so_many_events_are_explained(someone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.api.patterns.MOST_EXPLAINED", 2)
    found = answer(someone, TEST, {"pattern": SEK, "events": [event("EUR")] * 4})
    assert ["failed" in line for line in found["events"]] == [True, True, False, False]
    monkeypatch.setattr("rules.api.patterns.LONGEST", 0.0)
    assert "failed" not in answer(someone, TEST, {"pattern": SEK, "event": event("EUR")})["events"][0]


def test_a_transform_is_shown_as_it_would_be_sent(someone: Client, town: SimpleNamespace) -> None:
    transform = {"kind": "template", "template": '{"in": "${data.currency}"}'}
    sent = answer(someone, PREVIEW, {"transform": transform, "event": event()})
    assert sent == {
        "content_type": "application/json",
        "whole": False,
        "problems": [],
        "body": '{"in": "SEK"}',
    }
    seq = write.store(town.bus.pk, data={"currency": "NOK"})
    assert answer(someone, PREVIEW, {"transform": transform, "seq": seq})["body"] == '{"in": "NOK"}'


def test_a_field_that_nothing_has_is_said_and_sent_as_null(someone: Client, town: SimpleNamespace) -> None:
    transform = {"kind": "template", "template": '{"x": "${data.curency}", "y": "${data.currency}"}'}
    sent = answer(someone, PREVIEW, {"transform": transform, "event": event()})
    assert json.loads(sent["body"]) == {"x": None, "y": "SEK"}
    assert [one["detail"] for one in sent["problems"]] == [
        "data.curency is not in this event, and in no schema of its type. Did you mean data.currency?"
    ]


def test_the_complete_event_keeps_its_bytes(someone: Client) -> None:
    raw = '{"id": "e1",   "type": "t", "data": {"n": 1.10, "big": 12345678901234567890123}}'
    sent = answer(someone, PREVIEW, f'{{"transform": {{"kind": "complete"}}, "event": {raw}}}')
    assert (sent["body"], sent["whole"]) == (raw, True)


def test_a_template_that_is_no_json_says_so(someone: Client) -> None:
    sent = answer(
        someone, PREVIEW, {"transform": {"kind": "template", "template": "Now ${type}"}, "event": event()}
    )
    assert (sent["body"], sent["content_type"]) == ("Now order.placed", "text/plain; charset=utf-8")
    assert "not JSON" in sent["problems"][0]["detail"]


def test_an_output_that_grows_too_large_is_a_problem_of_that_event(someone: Client) -> None:
    template = "${data}" * 300
    sent = answer(
        someone,
        PREVIEW,
        {"transform": {"kind": "template", "template": template}, "event": event("x" * 10_000)},
    )
    assert sent["body"] is None
    assert sent["problems"]


def test_an_event_in_the_envelope_of_aws_can_be_tried(someone: Client) -> None:
    sample = {
        "version": "0",
        "id": "e1",
        "detail-type": "order.placed",
        "source": "shop",
        "account": "1",
        "region": "eu",
    }
    sample |= {"time": "2026-01-31T12:00:00Z", "resources": ["arn:a"], "detail": {"currency": "SEK"}}
    pattern = {"detail-type": ["order.placed"], "detail": SEK["data"], "resources": ["arn:a"]}
    assert answer(someone, TEST, {"pattern": pattern, "event": sample})["matched"] == 1
    several = sample | {"resources": ["arn:a", "arn:b"]}
    problem = answer(someone, TEST, {"pattern": pattern, "events": [sample, several]}, 422)
    assert problem["errors"][0]["pointer"] == "/events/1"
    assert "put the list into `detail`" in problem["errors"][0]["detail"]


def test_a_transform_of_another_event_bus_is_converted_and_can_be_tried(someone: Client) -> None:
    aws = {
        "InputPathsMap": {"kr": "$.detail.currency"},
        "InputTemplate": '{"in": "<kr>", "by": "paid in <kr>"}',
    }
    for written in (aws, {"InputTransformer": aws, "Id": "1", "Arn": "arn:aws:sqs:eu-north-1:1:q"}):
        found = answer(someone, CONVERT, {"aws": written})
        assert found["notes"] == [
            "a variable alone in quotes keeps its type: a number is sent as a number, not as text"
        ]
        sent = answer(someone, PREVIEW, {"transform": found["transform"], "event": event()})
        assert json.loads(sent["body"]) == {"in": "SEK", "by": "paid in SEK"}
    param = {"form": "JSONPATH", "value": "$.data.currency"}
    assert answer(someone, CONVERT, {"alibaba": param})["transform"]["path"] == "$.data.currency"


def test_binary_output_comes_in_base64(someone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rules.api.transforms import _body

    assert _body(b"\xff\x00") == {"body_base64": base64.b64encode(b"\xff\x00").decode()}
    assert _body("é".encode()) == {"body": "é"}
