"""What does not fit is counted a moment later, within bounds, and nothing about that stands in the way of an event."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError

from catalog.models import Bus, Domain, EventType, SchemaVersion, Team, Violation
from delivery.cloudevents import decode_structured
from delivery.ingest import pipeline, violations
from delivery.ingest.judging import Fault
from delivery.ingest.pipeline import publish
from delivery.ingest.samples import LONGEST, MASK, READ, masked, sample_of
from delivery.ingest.violations import Violations
from tests.unit.ingest.calling import Caller, event, stored


def register(domain: Domain, schema: Any = None, name: str = "shop.order.placed", **fields: Any) -> EventType:
    found = EventType.objects.create(name=name, domain=domain, team=Team.objects.get(), **fields)
    text = json.dumps(schema or {"properties": {"total": {"type": "number", "minimum": 0}}})
    SchemaVersion.objects.create(event_type=found, number=1, schema=text)
    return found


def counted() -> list[tuple[Any, ...]]:
    """What is counted once the pipeline has written it."""
    pipeline.pipeline().violations.close()
    found = Violation.objects.order_by("type_name", "version", "pointer", "message", "rejected")
    return list(found.values_list("type_name", "version", "pointer", "message", "rejected", "count"))


def test_refused_and_stored_events_are_counted_by_way(caller: Caller, bus: Bus, domain: Domain) -> None:
    kind = register(domain)
    for number in range(3):
        assert caller.structured(event(id=str(number), data={"total": -number - 1})).status == 422
    assert caller.structured(event(id="x", data={"total": "1"})).status == 422
    kind.validation = EventType.Validation.WARN
    kind.save()
    answer = caller.batch(
        [event(id=f"w{n}", data={"total": -1}) for n in range(2)] + [event(id="ok", data={})]
    )
    assert answer.status == 202
    assert counted() == [
        ("shop.order.placed", 1, "/total", "Must be at least 0.", False, 2),
        ("shop.order.placed", 1, "/total", "Must be at least 0.", True, 3),
        ("shop.order.placed", 1, "/total", "Must be number, is text.", True, 1),
    ]
    newest = Violation.objects.get(message="Must be at least 0.", rejected=True)
    assert (newest.last_event, newest.source, json.loads(newest.sample)) == ("2", "/shop", {"total": -3})


def test_counts_of_the_same_day_add_up(caller: Caller, domain: Domain) -> None:
    register(domain)
    for number in (1, 2):
        assert caller.structured(event(id=str(number), data={"total": -1})).status == 422
        assert [row[-1] for row in counted()] == [number]
    assert Violation.objects.get().last_event == "2"


def test_a_repeat_of_a_stored_event_is_not_counted_again(caller: Caller, domain: Domain) -> None:
    register(domain, validation=EventType.Validation.WARN)
    for _ in range(3):
        assert caller.structured(event(data={"total": -1})).status == 202
    assert [row[-1] for row in counted()] == [1]


def test_each_kind_of_refusal_is_counted_once_for_a_request(caller: Caller, bus: Bus, domain: Domain) -> None:
    bus.unregistered = Bus.Unregistered.REJECT
    bus.save()
    register(domain)
    register(domain, name="retired", lifecycle="retired")
    unknown = event(dataschema="https://h/schemas/shop.order.placed/9")
    sent = [event(type="nobody.knows", data={"email": "lin@example.org"}), event(type="retired"), unknown]
    assert [caller.structured(one).status for one in sent] == [422, 422, 422]
    # A batch is refused as a whole, at its first fault.
    assert caller.batch([event(id="a", data={"total": -1}), event(id="b", data={"total": -1})]).status == 422
    assert counted() == [
        ("nobody.knows", 0, "", "The type is not registered.", True, 1),
        ("retired", 0, "", "The type is retired.", True, 1),
        ("shop.order.placed", 0, "", "Names a version that does not exist.", True, 1),
        ("shop.order.placed", 1, "/total", "Must be at least 0.", True, 1),
    ]
    assert Violation.objects.get(type_name="nobody.knows").sample == ""
    assert stored(bus) == []


def test_what_the_console_publishes_is_counted_too(caller: Caller, bus: Bus, domain: Domain) -> None:
    kind = register(domain, validation=EventType.Validation.WARN)
    publish("orders", json.dumps(event(id="w", data={"total": -1})).encode())
    kind.validation = EventType.Validation.REJECT
    kind.save()
    with pytest.raises(pipeline.NotTaken):
        publish("orders", json.dumps(event(id="r", data={"total": -1})).encode())
    assert [row[-2:] for row in counted()] == [(False, 1), (True, 1)]


def test_malformed_events_are_no_violations(caller: Caller, domain: Domain) -> None:
    register(domain)
    assert caller.structured(event(time="yesterday")).status == 400
    assert caller.structured(event(), token="x").status == 401
    assert counted() == []


def test_personal_fields_are_in_no_sample_and_no_message(caller: Caller, domain: Domain) -> None:
    schema = {"properties": {"customer": {"properties": {"email": {"type": "string", "format": "email"}}}}}
    register(domain, schema, personal=["customer.email"])
    sent = event(data={"customer": {"email": "Lin Aberg, Main Street"}, "Email": "lin@", "gift": True})
    answer = caller.structured(sent)
    assert "Lin Aberg" in answer.json()["detail"]  # Its publisher knows it.
    counted()
    row = Violation.objects.get()
    assert "lin" not in f"{row.sample} {row.message} {row.pointer}".lower()
    assert json.loads(row.sample) == {"customer": {"email": MASK}, "Email": MASK, "gift": True}


# ── bounds ──


def fault(number: int = 0, **attributes: Any) -> Fault:
    whole = {"specversion": "1.0", "id": f"e{number}", "source": "/s", "type": "a", "data": {"n": number}}
    found = decode_structured(json.dumps(whole | attributes).encode())
    return Fault("schema", found, 1, "It is wrong.", "data", f"/f{number}", f"Way {number}.", ())


@pytest.fixture
def counter(transactional_db: None) -> Iterator[Violations]:
    found = Violations(every=0)
    yield found
    found.close()


def test_beyond_so_many_ways_of_a_type_and_day_the_rest_is_counted_together(
    counter: Violations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(violations, "WAYS", 3)
    for number in range(5):
        counter.refused(fault(number))
    counter.close()
    for number in range(6):
        counter.refused(fault(number))
    counter.refused(fault(9, type="b"))
    counter.close()
    found = list(
        Violation.objects.order_by("type_name", "message").values_list("type_name", "message", "count")
    )
    assert found == [
        ("a", violations.OTHER, 5), ("a", "Way 0.", 2), ("a", "Way 1.", 2), ("a", "Way 2.", 2), ("b", "Way 9.", 1),
    ]  # fmt: skip


def test_names_that_nobody_registered_are_kept_up_to_a_bound(
    counter: Violations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(violations, "STRANGERS", 3)
    for number in range(6):
        stranger = fault(0, type=f"t{number}")._replace(kind="unregistered", cause=violations.STRANGER)
        counter.refused(stranger._replace(version=0))
        counter.close()
    assert Violation.objects.count() == 3


def test_what_waits_in_memory_is_bounded(counter: Violations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(violations, "WAITING", 4)
    monkeypatch.setattr(counter, "_run", lambda: None)  # Nothing is written meanwhile.
    for number in range(20):
        counter.refused(fault(number))
        counter.refused(fault(number, type=f"t{number}"))
    assert len(counter._waiting) <= 8
    assert sum(seen.count for way, seen in counter._waiting.items() if way[0] == "a") == 20


def test_large_data_is_counted_without_a_sample_and_not_kept(counter: Violations) -> None:
    counter.refused(fault(1, data={"x": "y" * READ}))
    counter.close()
    assert Violation.objects.get().sample == ""


def test_values_longer_than_their_columns_are_cut(counter: Violations) -> None:
    long = "/s/" + "x" * 400
    counter.refused(fault(1, source=long, id="i" * 400)._replace(cause="c" * 400, place="/" + "p" * 400))
    counter.close()
    row = Violation.objects.get()
    assert (len(row.source), len(row.last_event), len(row.message), len(row.pointer)) == (255, 255, 300, 255)


# ── trouble ──


def test_a_database_that_fails_delays_the_counts_and_loses_none(
    counter: Violations, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failed = violations.write, threading.Event()

    def sometimes(taken: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise OperationalError("database is locked")
        write(taken)

    monkeypatch.setattr(violations, "write", sometimes)
    counter.refused(fault(1))
    assert failed.wait(30)
    counter.refused(fault(1))
    counter.refused(fault(2))
    counter.close()
    assert list(Violation.objects.order_by("message").values_list("message", "count")) == [
        ("Way 1.", 2),
        ("Way 2.", 1),
    ]


def test_an_event_is_answered_when_counting_fails_in_any_way(
    caller: Caller,
    bus: Bus,
    domain: Domain,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    register(domain, validation=EventType.Validation.WARN)

    def broken(*arguments: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(violations, "_way", broken)
    assert caller.structured(event(data={"total": -1})).status == 202
    assert [row["valid"] for row in stored(bus)] == [0]
    assert "could not be counted" in caplog.text


# ── samples ──


@pytest.mark.parametrize(
    ("data", "personal", "shown"),
    [
        ({"a": 1}, (), {"a": 1}),
        ({"a": {"b": [1, {"email": "x"}]}}, ("customer.email",), {"a": {"b": [1, {"email": MASK}]}}),
        ({"customer": {"name": "x"}}, ("customer",), {"customer": MASK}),
        ({"E-Mail": "x", "e_mail": "y"}, ("email",), {"E-Mail": MASK, "e_mail": MASK}),
        ({"lines": [{"name": "x", "n": 1}]}, ("lines[].name",), {"lines": [{"name": MASK, "n": 1}]}),
        ({"tags": ["x"]}, ("tags[]",), {"tags": MASK}),
        ({"name": "x"}, ("/customer/name",), {"name": MASK}),
        ([{"name": "x"}], ("[].name",), [{"name": MASK}]),
        ("lin@example.org", ("email",), None),
        (["lin@example.org"], ("email",), None),
        ({"a": 1}, ("[]",), None),
        ("text", (), "text"),
        ({"a": "x" * 500}, (), {"a": "x" * 120 + "…"}),
        ({"a": list(range(9))}, (), {"a": [0, 1, 2, 3, 4, "… 4 more"]}),
        ({"a": "\ud83d"}, (), {"a": "?"}),
    ],
    ids=str,
)
def test_a_sample_shows_what_is_not_personal(data: Any, personal: tuple[str, ...], shown: Any) -> None:
    text = sample_of(json.dumps(data).encode(), personal)
    assert (json.loads(text) if text else None) == shown


@pytest.mark.parametrize(
    "data",
    [
        {f"k{n}": {f"m{m}": "x" * 300 for m in range(30)} for n in range(8)},
        [["x" * 50] * 200] * 10,
        {"a" * 3000: 1},
        10**1000,
    ],
    ids=lambda data: str(data)[:20],
)
def test_a_sample_is_short_whatever_comes(data: Any) -> None:
    text = sample_of(json.dumps(data).encode(), ())
    assert len(text) <= LONGEST
    if text:
        json.loads(text)


@pytest.mark.parametrize("data", [None, b"", b"{", b"[" * 5000, b"1" * 6000, b" " * (READ + 1)])
def test_what_cannot_be_shown_gives_no_sample(data: bytes | None) -> None:
    assert sample_of(data, ()) == ""


def test_a_sample_is_masked_anew_without_becoming_shorter() -> None:
    data = {"a": list(range(9)), "b": "x" * 500, "nick": "Lin"}
    text = sample_of(json.dumps(data).encode(), ())
    assert masked(text, ("other",)) == text
    assert json.loads(masked(text, ("nick",))) == json.loads(text) | {"nick": MASK}
    assert masked('"Lin"', ("nick",)) == ""
