"""Group commit, with a log in memory that can be slow, full or broken."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from django.db import DataError, OperationalError

from delivery.log import writer as writing
from delivery.log.entry import Accepted, Entry, StaleVersions, Stored, Versions
from delivery.log.writer import Unavailable, Writer
from tests.events import an_entry


@dataclass
class MemoryLog:
    """Stores what it is given; `trouble(entries)` may raise first, `gate` holds commits back."""

    stored: list[list[Entry]] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)
    versions: Versions = Versions(0, 0)
    trouble: Callable[[list[Entry]], None] = lambda entries: None
    gate: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)

    def append(self, groups: Sequence[Sequence[Entry]], versions: Versions) -> list[list[Accepted]]:
        self.began.set()
        assert self.gate.wait(30)
        self.trouble([entry for group in groups for entry in group])
        if versions != self.versions:
            raise StaleVersions(self.versions)
        head = sum(map(len, self.stored))
        answers = []
        for group in groups:
            answers.append([Accepted(head + n + 1) for n in range(len(group))])
            head += len(group)
        self.stored += [list(group) for group in groups]
        self.commits.append(len(groups))
        return answers

    def read(self, after: int, limit: int, bus: int | None = None) -> list[Stored]:
        raise NotImplementedError

    def head(self) -> int:
        raise NotImplementedError

    def seek(self, at: int) -> int:
        raise NotImplementedError

    def retain(self, bus: int, before: int, keep_above: int, limit: int) -> int:
        raise NotImplementedError


@dataclass
class Draft:
    entries: list[Entry]
    versions: Versions = Versions(0, 0)
    redone: list[Versions] = field(default_factory=list)
    refuses: Exception | None = None

    def redo(self, current: Versions) -> None:
        self.redone.append(current)
        if self.refuses is not None:
            raise self.refuses
        self.versions = current


def a_draft(*ids: str, targets: Sequence[int] = (), **values: object) -> Draft:
    return Draft([an_entry(event_id, targets=targets) for event_id in ids], **values)  # type: ignore[arg-type]


@pytest.fixture
def log() -> MemoryLog:
    found = MemoryLog()
    found.gate.set()
    return found


@pytest.fixture
def rings() -> list[bool]:
    return []


@pytest.fixture
def writer(log: MemoryLog, rings: list[bool], django_db_blocker: object) -> Iterator[Writer]:
    made = Writer(rings.append, lambda: log)
    yield made
    log.gate.set()
    made.close()


def test_an_event_that_comes_alone_is_stored_at_once(
    writer: Writer, log: MemoryLog, rings: list[bool]
) -> None:
    assert writer.submit(a_draft("a")).result(30) == [Accepted(1)]
    assert writer.submit(a_draft("b", "c", targets=(5,))).result(30) == [Accepted(2), Accepted(3)]
    assert log.commits == [1, 1]
    assert rings == [False, True]


def test_what_queues_while_a_commit_is_under_way_shares_the_next_one(writer: Writer, log: MemoryLog) -> None:
    log.gate.clear()
    first = writer.submit(a_draft("first"))
    assert log.began.wait(30)
    answers = [writer.submit(a_draft(f"e{n}")) for n in range(100)]
    log.gate.set()
    assert first.result(30) == [Accepted(1)]
    # Each request has its own answer, in the order they came.
    assert [answer.result(30) for answer in answers] == [[Accepted(n + 2)] for n in range(100)]
    assert log.commits == [1, 100]


def test_a_group_has_an_upper_size(writer: Writer, log: MemoryLog) -> None:
    log.gate.clear()
    first = writer.submit(a_draft("first"))
    assert log.began.wait(30)
    answers = [writer.submit(a_draft(*[f"{n}-{m}" for m in range(500)])) for n in range(9)]
    log.gate.set()
    first.result(30)
    for answer in answers:
        answer.result(30)
    assert log.commits == [1, 4, 4, 1]


def test_too_many_waiting_events_are_refused_and_the_queue_recovers(
    writer: Writer, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "QUEUE", 3)
    log.gate.clear()
    taken = [writer.submit(a_draft("a", "b")), writer.submit(a_draft("c"))]
    with pytest.raises(Unavailable) as refused:
        writer.submit(a_draft("d")).result(30)
    assert refused.value.retry_after == 1
    log.gate.set()
    for answer in taken:
        answer.result(30)

    def there_is_room() -> bool:
        try:
            writer.submit(a_draft("e", "f", "g")).result(30)
        except Unavailable:
            return False
        return True

    from tests.processes import eventually

    eventually(there_is_room, "the queue has room again", 30)


def test_a_bad_row_fails_only_its_request(writer: Writer, log: MemoryLog) -> None:
    def refuse_b(entries: list[Entry]) -> None:
        if any(entry.ce_id == "b" for entry in entries):
            raise DataError("a NUL in a text")

    log.trouble = refuse_b
    log.gate.clear()
    first = writer.submit(a_draft("first"))
    assert log.began.wait(30)
    good, bad, other = (writer.submit(a_draft(name)) for name in "abc")
    log.gate.set()
    first.result(30)
    assert good.result(30) == [Accepted(2)]
    with pytest.raises(Unavailable, match="DataError"):
        bad.result(30)
    assert other.result(30) == [Accepted(3)]


def test_a_database_that_does_not_answer_is_told_to_every_request_of_the_group(
    writer: Writer, log: MemoryLog
) -> None:
    def locked(entries: list[Entry]) -> None:
        raise OperationalError("database is locked")

    log.trouble = locked
    log.gate.clear()
    answers = [writer.submit(a_draft(name)) for name in "abc"]
    log.gate.set()
    for answer in answers:
        with pytest.raises(Unavailable):
            answer.result(30)
    assert log.stored == []
    log.trouble = lambda entries: None
    assert writer.submit(a_draft("d")).result(30) == [Accepted(1)]


def test_what_was_matched_against_older_rules_is_matched_again(writer: Writer, log: MemoryLog) -> None:
    log.versions = Versions(1, 7)
    log.gate.clear()
    first = writer.submit(a_draft("first", versions=Versions(1, 7)))
    assert log.began.wait(30)
    old, new = a_draft("a", versions=Versions(1, 6)), a_draft("b", versions=Versions(1, 7))
    answers = [writer.submit(old), writer.submit(new)]
    log.gate.set()
    first.result(30)
    assert [answer.result(30) for answer in answers] == [[Accepted(2)], [Accepted(3)]]
    assert old.redone == [Versions(1, 7)]
    assert log.commits == [1, 2]


def test_what_the_new_rules_refuse_is_told_to_its_publisher_alone(writer: Writer, log: MemoryLog) -> None:
    log.gate.clear()
    log.versions = Versions(2, 0)
    first = writer.submit(a_draft("first"))
    assert log.began.wait(30)
    refused = writer.submit(a_draft("a", refuses=PermissionError("the token was revoked")))
    fine = writer.submit(a_draft("b"))
    log.gate.set()
    with pytest.raises(PermissionError):
        refused.result(30)
    assert [first.result(30), fine.result(30)] == [[Accepted(1)], [Accepted(2)]]


def test_a_publisher_that_stops_waiting_harms_nobody(writer: Writer, log: MemoryLog) -> None:
    log.gate.clear()
    first = writer.submit(a_draft("first"))
    assert log.began.wait(30)
    gone, stays = writer.submit(a_draft("a")), writer.submit(a_draft("b"))
    gone.cancel()
    log.gate.set()
    first.result(30)
    assert stays.result(30) == [Accepted(3)]
    assert writer.submit(a_draft("c")).result(30) == [Accepted(4)]


def test_a_bell_that_fails_changes_no_answer(log: MemoryLog, caplog: pytest.LogCaptureFixture) -> None:
    def broken(routed: bool) -> None:
        raise OSError("no bells")

    writer = Writer(broken, lambda: log)
    assert writer.submit(a_draft("a")).result(30) == [Accepted(1)]
    assert writer.submit(a_draft("b")).result(30) == [Accepted(2)]
    writer.close()
    assert log.commits == [1, 1]
    assert "bell" in caplog.text


def test_closing_stores_what_is_queued(writer: Writer, log: MemoryLog) -> None:
    log.gate.clear()
    answers: list[concurrent.futures.Future[list[Accepted]]] = [
        writer.submit(a_draft(f"e{n}")) for n in range(50)
    ]
    threading.Timer(0.05, log.gate.set).start()
    writer.close()
    assert [answer.result(0)[0].seq for answer in answers] == list(range(1, 51))
    writer.close()


def test_after_a_group_of_several_the_next_one_gathers_for_a_moment(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "EACH", 0.5)
    monkeypatch.setattr(writing, "GATHER", 1.0)
    log.gate.clear()
    writer = Writer(lambda routed: None, log=lambda: log)
    first = writer.submit(a_draft("a"))
    assert log.began.wait(30)
    behind = [writer.submit(a_draft(event_id)) for event_id in "bc"]
    log.gate.set()
    for answer in (first, *behind):
        answer.result(30)
    # Were there no moment, the first of these would be a commit of its own.
    late = [writer.submit(a_draft("d"))]
    time.sleep(0.1)
    late.append(writer.submit(a_draft("e")))
    for answer in late:
        answer.result(30)
    writer.close()
    assert log.commits == [1, 2, 2]


def test_events_that_come_one_at_a_time_do_not_wait(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GATHER", 60.0)
    monkeypatch.setattr(writing, "EACH", 60.0)
    writer = Writer(lambda routed: None, log=lambda: log)
    for event_id in "abc":
        writer.submit(a_draft(event_id)).result(30)
    writer.close()
    assert log.commits == [1, 1, 1]
