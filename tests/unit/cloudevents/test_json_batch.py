"""Batches: taken in their order, or refused as a whole, naming the entry."""

from __future__ import annotations

import pytest

from delivery.cloudevents import Limits, Refused, decode_batch, decode_structured
from tests.unit.cloudevents.json_text import event_text, replaced


def test_a_batch_is_taken_in_its_order() -> None:
    entries = [event_text(f'"data":{number},"n":{number}') for number in range(3)]
    events = decode_batch(b" [ " + b" ,\n".join(entries) + b" ] ")
    assert [event.extensions["n"] for event in events] == [0, 1, 2]
    assert [event.raw for event in events] == entries
    assert events == [decode_structured(entry) for entry in entries]


def test_an_empty_batch_is_no_error() -> None:
    assert decode_batch(b"[]") == []


@pytest.mark.parametrize(
    ("body", "index", "attribute", "reason"),
    [
        (b"[" + event_text() + b"," + replaced("type", "") + b"]", 1, "type", "missing"),
        (b"[" + event_text() + b",1]", 1, None, "JSON object"),
        (b"[null]", 0, None, "JSON object"),
        (b"[[" + event_text() + b"]]", 0, None, "JSON object"),
        (b"[" + event_text() + b"," + event_text('"data":1e400') + b"]", 1, None, "double"),
        (b"[" + event_text('"data":"\xff"').decode().encode("latin-1") + b"]", 0, None, "UTF-8"),
        (b"[" + event_text() + b"," + event_text('"id":"2"') + b"]", 1, "id", "more than once"),
        (b"[" + event_text() + b',{"specversion":"0.3"}]', 1, "specversion", '"1.0"'),
        (b"[" + event_text('"data":' + "[" * 128 + "]" * 128) + b"]", 0, None, "128 levels"),
        (b"[" + event_text() + b",]", None, None, "not valid JSON"),
        (b"[" + event_text(), None, None, "too early"),
        (b"[" + event_text() + b"]x", None, None, "trailing"),
        (b"[" * 100_000, None, None, "too deeply"),
        (event_text(), None, None, "JSON array"),
        (b"7", None, None, "JSON array"),
        (b"", None, None, "empty"),
        (b"\xef\xbb\xbf[]", None, None, "byte order mark"),
        (b"x", None, None, "not valid JSON"),
    ],
)
def test_a_batch_with_one_bad_entry_is_refused_as_a_whole(
    body: bytes, index: int | None, attribute: str | None, reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        decode_batch(body)
    refused = caught.value
    assert (refused.status, refused.index, refused.attribute) == (400, index, attribute)
    assert reason in refused.reason
    if index is not None:
        assert str(refused).startswith(f"entry {index}")


def test_a_batch_keeps_the_limits() -> None:
    limits = Limits(batch=2, batch_bytes=200_000, event_bytes=65536)
    assert len(decode_batch(b"[" + event_text() + b"," + event_text() + b"]", limits)) == 2
    large = event_text(f'"data":"{"x" * 70_000}"')
    for body, index in (
        (b"[" + b",".join([event_text()] * 3) + b"]", None),
        (b"[" + event_text() + b"," + large + b"]", 1),
        (b"[" + b",".join([large] * 3) + b"]", None),
    ):
        with pytest.raises(Refused) as caught:
            decode_batch(body, limits)
        assert (caught.value.status, caught.value.index) == (413, index)
