"""The CloudEvents Python SDK as a client: it publishes over a real socket, and the log holds what it was given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cloudevents.core.bindings import http as core_http
from cloudevents.core.v1.event import CloudEvent as CoreEvent
from cloudevents.v1.conversion import to_binary as layer_to_binary
from cloudevents.v1.conversion import to_structured as layer_to_structured
from cloudevents.v1.http import CloudEvent as LayerEvent

from tests.conformance.published import EVENTS, Publisher, assert_same, attributes_of, instant, started, whole
from tests.processes import Towns

Message = tuple[dict[str, str], bytes | str | None]


@pytest.fixture(scope="module")
def publisher(towns: Towns) -> Iterator[Publisher]:
    with towns.new() as town:
        yield started(town)


def core(name: str, source: str) -> CoreEvent:
    attributes = attributes_of(name, source)
    return CoreEvent({**attributes, "time": instant(attributes["time"])}, EVENTS[name][1])


def core_binary(name: str, source: str) -> Message:
    message = core_http.to_binary_event(core(name, source))
    return message.headers, message.body


def core_structured(name: str, source: str) -> Message:
    message = core_http.to_structured_event(core(name, source))
    return message.headers, message.body


def layer_binary(name: str, source: str) -> Message:
    data = EVENTS[name][1]
    # Left alone the layer writes text as JSON, whatever the content type says.
    as_is = (lambda text: text) if isinstance(data, str) else None
    return layer_to_binary(LayerEvent(attributes_of(name, source), data), as_is)


def layer_structured(name: str, source: str) -> Message:
    return layer_to_structured(LayerEvent(attributes_of(name, source), EVENTS[name][1]))


MODES = (core_binary, core_structured, layer_binary, layer_structured)


# The v1 layer does not percent-encode: what becomes of that is a test below.
CASES = [
    (mode, name)
    for mode in MODES
    for name in EVENTS
    if (mode, name) != (layer_binary, "subject-beyond-ascii")
]


@pytest.mark.parametrize(
    ("mode", "name"), CASES, ids=lambda part: part if isinstance(part, str) else part.__name__
)
def test_what_the_sdk_publishes_is_stored_attribute_by_attribute(
    publisher: Publisher, mode: Callable[[str, str], Message], name: str
) -> None:
    source = f"/python/{mode.__name__}"
    status, answer = publisher.post(*mode(name, source))
    if mode is core_binary and name == "array":  # The SDK writes an array as Python shows it.
        assert (status, answer["attribute"]) == (400, "data")
        return
    assert status == 202, answer
    [accepted] = answer["accepted"]
    assert (accepted["id"], accepted["source"]) == (name, source)
    assert_same(publisher.stored(source, name), whole(name, source))


def test_a_subject_that_the_v1_layer_sends_unencoded_is_refused_with_what_to_do(
    publisher: Publisher,
) -> None:
    event = LayerEvent({**attributes_of("no-data", "/python/latin"), "subject": "Grüße"}, None)
    headers, body = layer_to_binary(event)
    assert headers["ce-subject"] == "Grüße"  # Python's http.client sends it as Latin-1.
    status, problem = publisher.post(headers, body)
    assert (status, problem["attribute"]) == (400, "subject")
    assert "percent-encode" in problem["detail"]


def test_events_of_the_sdk_make_a_batch(publisher: Publisher) -> None:
    """The SDK knows no batches; a batch is the JSON array of what it writes in structured mode."""
    source = "/python/batch"
    bodies = [core_http.to_structured_event(core(name, source)).body for name in EVENTS]
    status, answer = publisher.post(
        {"content-type": "application/cloudevents-batch+json"}, b"[" + b",".join(bodies) + b"]"
    )
    assert status == 202, answer
    assert [accepted["id"] for accepted in answer["accepted"]] == list(EVENTS)
    for name in EVENTS:
        assert_same(publisher.stored(source, name), whole(name, source))


def test_an_event_sent_in_one_mode_and_again_in_another_is_stored_once(publisher: Publisher) -> None:
    source = "/python/twice"
    first = publisher.post(*core_structured("object", source))[1]["accepted"][0]
    again = publisher.post(*core_binary("object", source))[1]["accepted"][0]
    assert again["seq"] == first["seq"]
    assert again["duplicate"]


def test_the_sdks_own_ids_and_times_are_taken_as_they_come(publisher: Publisher) -> None:
    event: Any = LayerEvent({"source": "/python/own", "type": "com.example.published"}, {"a": 1})
    status, answer = publisher.post(*layer_to_binary(event))
    assert status == 202
    found = publisher.stored("/python/own", answer["accepted"][0]["id"])
    assert (found["id"], instant(found["time"])) == (event["id"], instant(event["time"]))
    assert json.dumps(found["data"]) == '{"a": 1}'
