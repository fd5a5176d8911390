"""The three modes of CloudEvents over HTTP, and what each event is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.models import Bus, Team, Token
from tests.unit.ingest.calling import BATCH, STRUCTURED, Caller, assert_problem, event, stored

BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/shop",
    "ce-type": "shop.order.placed",
    "ce-subject": "N%C2%BA 7 %E2%82%AC",
    "ce-time": "2026-11-23T06:30:01Z",
    "ce-partitionkey": "k1",
    "content-type": "application/json",
}


def test_an_event_in_binary_mode_is_stored_with_its_headers_as_attributes(caller: Caller, bus: Bus) -> None:
    answer = caller.call(b'{"total": 12}', BINARY)
    [row] = stored(bus)
    assert answer.status == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"accepted": [{"id": "1", "source": "/shop", "seq": row["seq"]}]}
    assert row["raw"] == event(
        subject="Nº 7 €",
        time="2026-11-23T06:30:01Z",
        partitionkey="k1",
        datacontenttype="application/json",
        data={"total": 12},
    )
    assert (row["subject"], row["time"]) == ("Nº 7 €", "2026-11-23T06:30:01Z")


def test_an_event_in_structured_mode_is_stored_as_it_was_written(caller: Caller, bus: Bus) -> None:
    sent = event(subject="Nº 7 €", number=7, flag=True, data={"total": 12.50, "big": 10**20})
    answer = caller.structured(sent)
    [row] = stored(bus)
    assert (answer.status, answer.json()["accepted"][0]["seq"]) == (202, row["seq"])
    assert row["raw"] == sent


def test_a_batch_is_stored_in_its_order(caller: Caller, bus: Bus) -> None:
    answer = caller.batch([event(id=str(number)) for number in range(20)])
    rows = stored(bus)
    assert answer.status == 202
    assert [row["ce_id"] for row in rows] == [str(number) for number in range(20)]
    assert [entry["seq"] for entry in answer.json()["accepted"]] == [row["seq"] for row in rows]
    first = rows[0]["seq"]
    assert [row["seq"] for row in rows] == list(range(first, first + 20))


def test_an_empty_batch_is_accepted_and_stores_nothing(caller: Caller, bus: Bus) -> None:
    answer = caller.batch([])
    assert (answer.status, answer.json()) == (202, {"accepted": []})
    assert stored(bus) == []


@pytest.mark.parametrize(
    "content_type",
    [STRUCTURED, "application/cloudevents+json; charset=utf-8", "Application/CloudEvents+JSON;charset=UTF-8"],
)
def test_the_content_type_alone_chooses_structured_mode(caller: Caller, bus: Bus, content_type: str) -> None:
    stray = {"ce-id": "stray", "ce-specversion": "1.0", "content-type": content_type}
    assert caller.call(json.dumps(event()).encode(), stray).status == 202
    assert [row["ce_id"] for row in stored(bus)] == ["1"]


@pytest.mark.parametrize(
    "content_type", [BATCH, f"{BATCH}; charset=utf-8", "APPLICATION/cloudevents-batch+json"]
)
def test_the_content_type_alone_chooses_a_batch(caller: Caller, bus: Bus, content_type: str) -> None:
    assert caller.call(json.dumps([event()]).encode(), {"content-type": content_type}).status == 202
    assert len(stored(bus)) == 1


@pytest.mark.parametrize(
    ("content_type", "body", "kept"),
    [
        ("application/json", b"null", {"data": None}),
        ("text/plain; charset=utf-8", "Grüße".encode(), {"data": "Grüße"}),
        ("image/png", b"\x89PNG\x00", {"data_base64": "iVBORwA="}),
        (None, b"", {}),
    ],
)
def test_data_of_every_kind_is_kept(
    caller: Caller, bus: Bus, content_type: str | None, body: bytes, kept: dict[str, Any]
) -> None:
    headers = {**BINARY, "content-type": content_type}
    answer = caller.call(body, {name: value for name, value in headers.items() if value is not None})
    assert answer.status == 202
    [row] = stored(bus)
    assert {name: row["raw"][name] for name in ("data", "data_base64") if name in row["raw"]} == kept


def test_a_body_in_many_parts_is_one_body(caller: Caller, bus: Bus) -> None:
    body = json.dumps(event(data="x" * 1000)).encode()
    parts = [body[at : at + 7] for at in range(0, len(body), 7)]
    assert caller.call(parts, {"content-type": STRUCTURED}).status == 202
    assert [row["raw"]["data"] for row in stored(bus)] == ["x" * 1000]


# ── repeats ──


def test_a_repeat_is_answered_with_what_was_stored_first(caller: Caller, bus: Bus) -> None:
    first = caller.structured(event(data=1)).json()["accepted"][0]
    again = caller.structured(event(data=1))
    assert (again.status, again.json()) == (202, {"accepted": [{**first, "duplicate": True}]})
    assert len(stored(bus)) == 1


def test_a_repeat_with_another_body_says_so_and_changes_nothing(caller: Caller, bus: Bus) -> None:
    first = caller.structured(event(data=1)).json()["accepted"][0]
    again = caller.structured(event(data=2))
    assert (again.status, again.json()) == (202, {"accepted": [{**first, "duplicate": "differs"}]})
    assert [row["raw"]["data"] for row in stored(bus)] == [1]


@pytest.mark.parametrize(
    "again",
    [
        b'{ "data" : {"b": [1, 1.5], "a": "\\u0078"},\n "type": "order.placed", "source": "/shop", "id": "1", "specversion": "1.0"}',
        b'{"specversion":"1.0","id":"1","source":"/shop","type":"order.placed","data":{"a":"x","b":[1,1.50]}}',
    ],
    ids=["order and whitespace", "zeros"],
)
def test_a_repeat_that_is_only_written_otherwise_is_a_repeat(caller: Caller, bus: Bus, again: bytes) -> None:
    written = (
        b'{"specversion":"1.0","id":"1","source":"/shop","type":"order.placed","data":{"a":"x","b":[1,1.5]}}'
    )
    first = caller.call([written], {"content-type": STRUCTURED}).json()["accepted"][0]
    answer = caller.call([again], {"content-type": STRUCTURED}).json()
    assert answer == {"accepted": [{**first, "duplicate": True}]}


@pytest.mark.parametrize(("data", "other"), [("1", "true"), ("1", "1.0000000000000000001"), ('"1.5"', "1.5")])
def test_a_repeat_with_nearly_the_same_body_differs(caller: Caller, bus: Bus, data: str, other: str) -> None:
    body = '{"specversion":"1.0","id":"1","source":"/shop","type":"t","data":%s}'
    caller.call([(body % data).encode()], {"content-type": STRUCTURED})
    answer = caller.call([(body % other).encode()], {"content-type": STRUCTURED}).json()
    assert answer["accepted"][0]["duplicate"] == "differs"


def test_a_batch_tells_its_repeats_from_its_new_events(caller: Caller, bus: Bus) -> None:
    seq = caller.structured(event(id="a")).json()["accepted"][0]["seq"]
    answer = caller.batch([event(id="b"), event(id="a"), event(id="b"), event(id="b", data=1)])
    assert answer.json()["accepted"] == [
        {"id": "b", "source": "/shop", "seq": seq + 1},
        {"id": "a", "source": "/shop", "seq": seq, "duplicate": True},
        {"id": "b", "source": "/shop", "seq": seq + 1, "duplicate": True},
        {"id": "b", "source": "/shop", "seq": seq + 1, "duplicate": "differs"},
    ]
    assert len(stored(bus)) == 2


def test_the_same_id_from_another_source_or_on_another_bus_is_another_event(caller: Caller, bus: Bus) -> None:
    other = Bus.objects.create(name="payments")
    _, text = Token.issue(name="both", team=Team.objects.get())
    assert caller.structured(event()).json()["accepted"][0].keys() == {"id", "source", "seq"}
    assert caller.structured(event(source="/till")).json()["accepted"][0].keys() == {"id", "source", "seq"}
    answer = caller.structured(event(), path="/v1/buses/payments/events", token=text)
    assert answer.json()["accepted"][0].keys() == {"id", "source", "seq"}
    assert (len(stored(bus)), len(stored(other))) == (2, 1)


# ── all or nothing ──


@pytest.mark.parametrize(
    ("wrong", "attribute", "words"),
    [
        (event(type=None), "type", "missing"),
        (event(source="two words"), "source", "URI-reference"),
        (event(time="yesterday"), "time", "RFC 3339"),
        (event(specversion="0.3"), "specversion", "1.0"),
        (event(Upper="x"), "Upper", "lower case"),
        (event(data=1, data_base64="MQ=="), "data_base64", "one of them"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
@pytest.mark.parametrize("place", [0, 2])
def test_one_wrong_entry_refuses_the_whole_batch_and_is_named(
    caller: Caller, bus: Bus, wrong: dict[str, Any], attribute: str, words: str, place: int
) -> None:
    batch = [event(id="a"), event(id="b")]
    batch.insert(place, wrong)
    problem = assert_problem(caller.batch(batch), 400, "malformed")
    assert (problem["index"], problem["attribute"]) == (place, attribute)
    assert words in problem["detail"]
    assert stored(bus) == []


def test_what_a_refused_batch_held_can_be_sent_again(caller: Caller, bus: Bus) -> None:
    assert caller.batch([event(id="a"), event(id="b", type="")]).status == 400
    answer = caller.batch([event(id="a"), event(id="b")])
    assert [entry.get("duplicate") for entry in answer.json()["accepted"]] == [None, None]


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b'{"specversion": "1.0"}', "id"),
        (b'{"specversion": "1.0", "id": "1", "id": "2", "source": "/a", "type": "b"}', "id"),
        (b'{"specversion": "1.0", "id": "\xff", "source": "/a", "type": "b"}', None),
        (b'{"specversion": "1.0", "id": "1", "source": "/a", "type": "b", "data": NaN}', None),
    ],
)
def test_a_malformed_event_is_refused_with_the_place(
    caller: Caller, bus: Bus, body: bytes, attribute: str | None
) -> None:
    problem = assert_problem(caller.call(body, {"content-type": STRUCTURED}), 400, "malformed")
    assert problem.get("attribute") == attribute
    assert "index" not in problem
    assert stored(bus) == []


@pytest.mark.parametrize(
    ("change", "attribute"),
    [
        ({"ce-id": None}, "id"),
        ({"ce-specversion": "1.1"}, "specversion"),
        ({"ce-subject": "100%"}, "subject"),
        ({"ce-subject": "Grüße"}, "subject"),
        ({"ce-my-extension": "x"}, "my-extension"),
        ({"ce-datacontenttype": "text/plain"}, "datacontenttype"),
    ],
)
def test_a_malformed_header_is_refused_with_its_attribute(
    caller: Caller, bus: Bus, change: dict[str, str | None], attribute: str
) -> None:
    headers = {name: value for name, value in {**BINARY, **change}.items() if value is not None}
    problem = assert_problem(caller.call(b"{}", headers), 400, "malformed")
    assert problem["attribute"] == attribute
    assert stored(bus) == []


def test_a_body_that_is_not_the_json_it_says_is_refused(caller: Caller, bus: Bus) -> None:
    problem = assert_problem(caller.call(b"A test event.", BINARY), 400, "malformed")
    assert problem["attribute"] == "data"
    assert stored(bus) == []
