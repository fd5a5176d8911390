"""`POST /putEvents` as Apache RocketMQ EventBridge has it: requests of its README, unchanged, and its answers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from catalog.models import Bus, Domain, EventType, SchemaVersion, Team
from tests.unit.ingest.calling import BATCH, STRUCTURED, Answer, Caller, event, stored

# The headers that curl sends for the command of the project's README.
CURL = {
    "host": "127.0.0.1:7001",
    "user-agent": "curl/7.88.1",
    "accept": "*/*",
    "Content-Type": "application/json; charset=UTF-8",
    "ce-specversion": "1.0",
    "ce-type": "com.github.pull_request.opened",
    "ce-source": "https://github.com/cloudevents/spec/pull",
    "ce-subject": "demo",
    "ce-id": "1234-1234-1234",
    "ce-datacontenttype": "application/json",
    "ce-time": "2018-04-05T17:31:00Z",
    "ce-eventbusname": "demo-bus",
    "content-length": "13",
}
# Its README's request in structured mode: the content type in quotes, another extension for the bus.
README = b"""{
  "specversion" : "1.0",
  "type" : "com.github.pull_request.opened",
  "source" : "https://github.com/cloudevents/spec/pull",
  "subject" : "123",
  "id" : "A234-1234-1234",
  "time" : "2018-04-05T17:31:00Z",
  "datacontenttype" : "application/json",
  "data" : {
    "body":"demo"
  },
  "aliyuneventbusname":"demo-bus"
}
"""
QUOTED = '"application/cloudevents+json; charset=UTF-8"'


@pytest.fixture
def demo_bus(team: Team) -> Bus:
    return Bus.objects.create(name="demo-bus", open_publishing=True)


def put(caller: Caller, body: bytes, headers: dict[str, str], token: str | None = None) -> Answer:
    return caller.call(body, headers, path="/putEvents", token=token)


def assert_success(answer: Answer, *ids: str) -> None:
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", found.pop("requestId"))
    entries = [{"eventId": name, "errorCode": None, "errorMessage": None} for name in ids]
    assert found == {"code": "Success", "message": "success", "failedEntryCount": 0, "entryList": entries}


def assert_error(answer: Answer, status: int, code: str) -> str:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found.keys() == {"requestId", "code", "message"}
    assert found["code"] == code
    return str(found["message"])


def test_the_curl_line_of_the_readme_works_unchanged(caller: Caller, demo_bus: Bus) -> None:
    assert_success(put(caller, b"A test event.", CURL), "1234-1234-1234")
    [row] = stored(demo_bus)
    assert row["raw"] == {
        "specversion": "1.0",
        "type": "com.github.pull_request.opened",
        "source": "https://github.com/cloudevents/spec/pull",
        "subject": "demo",
        "id": "1234-1234-1234",
        "time": "2018-04-05T17:31:00Z",
        "datacontenttype": "application/json; charset=UTF-8",
        "eventbusname": "demo-bus",
        "data": "A test event.",
    }


def test_the_structured_example_of_the_readme_works_unchanged(caller: Caller, demo_bus: Bus) -> None:
    assert_success(put(caller, README, {"Content-Type": QUOTED}), "A234-1234-1234")
    assert [row["raw"] for row in stored(demo_bus)] == [json.loads(README)]


@pytest.mark.parametrize("name", ["eventbusname", "aliyuneventbusname"])
@pytest.mark.parametrize(
    "content_type", [STRUCTURED, QUOTED, f'"{STRUCTURED}"', f"{STRUCTURED};charset=utf-8"]
)
def test_both_names_of_the_bus_and_every_spelling_of_the_content_type_are_taken(
    caller: Caller, demo_bus: Bus, name: str, content_type: str
) -> None:
    body = json.dumps(event(**{name: "demo-bus"})).encode()
    assert_success(put(caller, body, {"content-type": content_type}), "1")


def test_a_batch_of_one_bus_is_taken_whole(caller: Caller, demo_bus: Bus) -> None:
    body = json.dumps([event(id=name, eventbusname="demo-bus") for name in "abc"]).encode()
    assert_success(put(caller, body, {"content-type": BATCH}), "a", "b", "c")
    assert len(stored(demo_bus)) == 3


def test_json_data_stays_json(caller: Caller, demo_bus: Bus) -> None:
    assert_success(put(caller, b'{"a": [1]}', CURL), "1234-1234-1234")
    assert [row["raw"]["data"] for row in stored(demo_bus)] == [{"a": [1]}]


def test_an_event_without_data_is_taken(caller: Caller, demo_bus: Bus) -> None:
    assert_success(put(caller, b"", CURL), "1234-1234-1234")
    assert "data" not in stored(demo_bus)[0]["raw"]


def test_a_repeat_is_answered_like_the_first_and_stored_once(caller: Caller, demo_bus: Bus) -> None:
    for _ in range(2):
        assert_success(put(caller, b"A test event.", CURL), "1234-1234-1234")
    assert len(stored(demo_bus)) == 1


# ── tokens ──


def test_a_bus_that_wants_a_token_wants_it_here_too(caller: Caller, bus: Bus) -> None:
    headers = {**CURL, "ce-eventbusname": "orders"}
    answer = put(caller, b"1", headers)
    assert_error(answer, 401, "LoginFailed")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert stored(bus) == []
    assert_success(put(caller, b"1", headers, token=caller.token), "1234-1234-1234")


def test_a_token_of_another_bus_is_refused(caller: Caller, demo_bus: Bus) -> None:
    assert_error(put(caller, b"1", CURL, token=caller.token), 403, "LoginFailed")
    assert stored(demo_bus) == []


# ── errors ──


@pytest.mark.parametrize(
    ("body", "headers", "code", "words"),
    [
        (b"1", {"ce-eventbusname": ""}, "EventBusEmpty", "ce-eventbusname"),
        (b"1", {"ce-eventbusname": "a%00"}, "EventInvalid", "eventbusname: "),
        (b"1", {"ce-aliyuneventbusname": "b"}, "PutEventsRequestMoreThanOneEventBus", "'b', 'demo-bus'"),
        (b"1", {"ce-eventbusname": None}, "EventBusEmpty", "ce-eventbusname"),
        (b"[]", {"Content-Type": BATCH}, "EventBusEmpty", "eventbusname"),
        (b"1", {"ce-type": None}, "EventInvalid", "type: "),
        (b"1", {"ce-time": "5 April"}, "EventInvalid", "time: "),
        (b"x" * 1_100_000, {}, "EventSizeExceed", "1,048,576"),
        (b"x" * 1_048_570, {}, "EventSizeExceed", "1048576"),
        (b"", {"content-length": "2000000"}, "EventSizeExceed", "1,048,576"),
        (b"{", {"Content-Type": STRUCTURED}, "EventInvalid", "JSON"),
        (b"<a/>", {"Content-Type": "application/cloudevents+xml"}, "EventHTTPProtocolBindingInvalid", "xml"),
        (b"1", {"content-encoding": "gzip"}, "EventHTTPProtocolBindingInvalid", "Content-Encoding"),
    ],
)
def test_an_event_that_is_not_taken_is_answered_409_with_a_code(
    caller: Caller, demo_bus: Bus, body: bytes, headers: dict[str, str | None], code: str, words: str
) -> None:
    sent = {name: value for name, value in {**CURL, **headers}.items() if value is not None}
    message = assert_error(put(caller, body, sent), 409, code)
    assert words in message
    assert stored(demo_bus) == []


def test_a_request_that_is_no_event_is_answered_409(caller: Caller, demo_bus: Bus) -> None:
    answer = put(caller, b"{}", {"content-type": "application/json"})
    assert_error(answer, 409, "EventHTTPProtocolBindingInvalid")


def test_a_bus_that_does_not_exist_is_said_to_who_has_a_token(caller: Caller, demo_bus: Bus) -> None:
    answer = put(caller, b"1", {**CURL, "ce-eventbusname": "nowhere"}, token=caller.token)
    assert "'nowhere'" in assert_error(answer, 409, "EventBusNotExist")


@pytest.mark.parametrize(
    ("batch", "code", "words"),
    [
        (
            [event(eventbusname="demo-bus"), event(id="2", eventbusname="orders")],
            "PutEventsRequestMoreThanOneEventBus",
            "one bus",
        ),
        (
            [event(eventbusname="demo-bus"), event(id="", eventbusname="demo-bus")],
            "EventInvalid",
            "entry 1, id: ",
        ),
        ([event(eventbusname="demo-bus"), event(id="2")], "EventBusEmpty", "entry 1"),
    ],
)
def test_a_wrong_batch_stores_nothing_and_names_the_entry(
    caller: Caller, demo_bus: Bus, batch: list[dict[str, Any]], code: str, words: str
) -> None:
    answer = put(caller, json.dumps(batch).encode(), {"content-type": BATCH})
    assert words in assert_error(answer, 409, code)
    assert stored(demo_bus) == []


def test_data_that_does_not_fit_its_schema_is_answered_409(
    caller: Caller, demo_bus: Bus, domain: Domain
) -> None:
    found = EventType.objects.create(name=CURL["ce-type"], domain=domain, team=Team.objects.get())
    SchemaVersion.objects.create(event_type=found, number=1, schema='{"type": "object"}')
    assert "data" in assert_error(put(caller, b"A test event.", CURL), 409, "EventInvalid")


def test_another_method_is_refused(caller: Caller) -> None:
    answer = caller.call(path="/putEvents", method="GET")
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json().keys() == {"requestId", "code", "message"}
