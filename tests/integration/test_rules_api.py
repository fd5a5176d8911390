"""The API for rules through Django: what it answers, how it refuses, who may use it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver

from catalog.access import SIGNED_IN
from catalog.models import Bus, Team, Token
from rules.api import reading
from rules.api.operation import Operation
from rules.models import Rule
from rules.revisions import save_rule
from tests.integration import rows as write

pytestmark = pytest.mark.django_db(transaction=True)

TEST, EXPLAIN, PREVIEW = "/api/v1/patterns:test", "/api/v1/patterns:explain", "/api/v1/transforms:preview"
CONVERT = "/api/v1/transforms:convert"
DEEP = '{"pattern": ' + "[" * 50_000 + "]" * 50_000 + "}"
SEK = {"data": {"currency": ["SEK"]}}


@pytest.fixture(autouse=True)
def an_empty_log(transactional_db: None) -> Iterator[None]:
    """The data plane's tables are no models, so Django does not empty them between tests."""
    yield
    write.empty()


@pytest.fixture
def town() -> SimpleNamespace:
    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Shop", slug="shop")
    rule = save_rule(Rule(name="Swedish orders", bus=bus, team=team, pattern=SEK))
    return SimpleNamespace(bus=bus, team=team, rule=rule)


@pytest.fixture
def someone(client: Client, town: SimpleNamespace) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


def event(currency: str = "SEK", **attributes: Any) -> dict[str, Any]:
    base = {"specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.placed"}
    return base | attributes | {"data": {"currency": currency}}


def ask(client: Client, url: str, body: Any, **headers: str) -> HttpResponse:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(url, text, content_type="application/json", headers=headers)  # type: ignore[arg-type]


def answer(client: Client, url: str, body: Any, status: int = 200) -> Any:
    response = ask(client, url, body)
    assert response.status_code == status, response.content
    expected = "application/json" if status == 200 else "application/problem+json"
    assert response.headers["Content-Type"] == expected
    return json.loads(response.content)


# ── patterns:test ──


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


# ── patterns:explain ──


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


# ── transforms:preview ──


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


# ── transforms:convert ──


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


# ── what is refused, and where ──


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
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
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


# ── who may ──


def test_every_operation_names_a_permission_that_exists() -> None:
    known = {
        f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }
    found = [one for one in _patterns(get_resolver()) if hasattr(one.callback, "cls")]
    assert len(found) >= 4
    for pattern in found:
        view = pattern.callback.cls
        assert issubclass(view, Operation)
        assert view.needs in known | {SIGNED_IN}, pattern.name
        assert view.needs != SIGNED_IN or pattern.name == "api-elsewhere"


def _patterns(resolver: Any) -> list[URLPattern]:
    listed: list[URLPattern] = []
    for one in resolver.url_patterns:
        listed += [one] if isinstance(one, URLPattern) else _patterns(one)
    return listed


def test_an_operation_that_names_no_permission_is_shut(
    someone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rules.api.patterns.TestPattern.needs", None)
    answer(someone, TEST, {"pattern": {}, "event": event()}, 403)


@pytest.mark.parametrize("url", [TEST, EXPLAIN, PREVIEW, CONVERT, "/api/v1/nothing"])
def test_nobody_gets_in_without_a_session_or_a_token(client: Client, url: str) -> None:
    response = ask(client, url, {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="signalbox"'
    problem = json.loads(response.content)
    assert problem["type"] == "urn:signalbox:problem:unauthenticated"
    assert "Authorization: Bearer" in problem["detail"]


def test_a_person_needs_the_permission(client: Client, town: SimpleNamespace) -> None:
    user = get_user_model().objects.create_user("visitor")
    client.force_login(user)
    assert "rules.view_rule" in answer(client, TEST, {"pattern": {}, "event": event()}, 403)["detail"]
    user.user_permissions.add(Permission.objects.get(codename="view_rule"))
    assert answer(client, TEST, {"pattern": {}, "event": event()})["matched"] == 1


def test_a_session_alone_needs_its_csrf_token(town: SimpleNamespace) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.create_superuser("mara"))
    assert "CSRF" in answer(strict, TEST, {"pattern": {}, "event": event()}, 403)["detail"]
    strict.get("/rules/")
    token = strict.get("/subscribe/").context["csrf_token"]
    response = ask(strict, TEST, {"pattern": {}, "event": event()}, **{"X-CSRFToken": str(token)})
    assert response.status_code == 200


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_a_token_that_may_try_rules_gets_in_without_a_session(town: SimpleNamespace) -> None:
    strict = Client(enforce_csrf_checks=True)
    _, text = Token.issue(name="build", team=town.team, reads=True)
    response = ask(strict, TEST, {"pattern": SEK, "event": event()}, **bearer(text))
    assert json.loads(response.content)["matched"] == 1


def test_a_token_that_only_publishes_reads_nothing(client: Client, town: SimpleNamespace) -> None:
    _, text = Token.issue(name="shop", team=town.team)
    response = ask(client, TEST, {"pattern": SEK, "event": event()}, **bearer(text))
    assert response.status_code == 403
    assert "may publish only" in json.loads(response.content)["detail"]


def test_a_token_for_one_bus_sees_no_other(client: Client, town: SimpleNamespace) -> None:
    other = Bus.objects.create(name="other")
    seq = write.store(town.bus.pk, data={})
    _, text = Token.issue(name="build", team=town.team, bus=other, reads=True)
    for url, body in (
        (TEST, {"pattern": {}, "bus": "main"}),
        (EXPLAIN, {"pattern": {}, "seq": seq}),
        (EXPLAIN, {"rule": town.rule.pk, "event": event()}),
        (PREVIEW, {"transform": {"kind": "complete"}, "seq": seq}),
    ):
        response = ask(client, url, body, **bearer(text))
        assert (response.status_code, "another bus" in response.content.decode()) == (403, True)
    assert ask(client, TEST, {"pattern": {}, "bus": "other"}, **bearer(text)).status_code == 200


@pytest.mark.parametrize(
    "header", ["Basic abc", "Bearer", "Bearer nonsense", "Bearer sbx_1_2", "Bearer sbx_é_x"]
)
def test_a_token_that_is_none_is_refused(client: Client, town: SimpleNamespace, header: str) -> None:
    response = ask(client, TEST, {"pattern": {}, "event": event()}, Authorization=header)
    assert response.status_code == 401


def test_a_revoked_token_is_refused(client: Client, town: SimpleNamespace) -> None:
    from django.utils import timezone

    token, text = Token.issue(name="build", team=town.team, reads=True)
    token.revoked_at = timezone.now()
    token.save()
    assert ask(client, TEST, {"pattern": {}, "event": event()}, **bearer(text)).status_code == 401


def test_binary_output_comes_in_base64(someone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rules.api.transforms import _body

    assert _body(b"\xff\x00") == {"body_base64": base64.b64encode(b"\xff\x00").decode()}
    assert _body("é".encode()) == {"body": "é"}
