"""The writer on a real log: groups, locked databases, bad rows, and a rule that is live for the next commit."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator

import pytest
from django.db import connection

from delivery.cloudevents import CloudEvent, decode_structured
from delivery.ingest.snapshot import Directory
from delivery.log.entry import Accepted, Entry, Versions, entry_of
from delivery.log.interface import open_log
from delivery.log.writer import Unavailable, Writer
from rules.engine import Event
from rules.models import Target
from rules.revisions import save_rule, save_target
from tests.databases import Database, in_thread
from tests.events import a_bus, a_rule, a_target, an_entry, current_versions


class Plain:
    """A draft whose targets do not depend on rules."""

    def __init__(self, *entries: Entry) -> None:
        self.entries, self.versions = list(entries), current_versions()

    def redo(self, current: Versions) -> None:
        self.versions = current


class Matched:
    """A draft matched against what the directory knows, as ingest does it."""

    def __init__(self, directory: Directory, event: CloudEvent) -> None:
        self._directory, self._event, self.redone = directory, event, 0
        self._match()

    def redo(self, current: Versions) -> None:
        self.redone += 1
        self._directory.refresh(current)
        self._match()

    def _match(self) -> None:
        snapshot = self._directory.current
        bus = snapshot.buses["city"].id
        view = Event(self._event.attributes, self._event.data, self._event.data_is_json)
        targets = snapshot.routing[bus].targets_of(view) if bus in snapshot.routing else ()
        self.entries = [entry_of(self._event, bus, 1, snapshot.versions, targets)]
        self.versions = snapshot.versions


@pytest.fixture
def writer() -> Iterator[Writer]:
    made = Writer(lambda routed: None)
    yield made
    made.close()


def event(event_id: str) -> CloudEvent:
    return decode_structured(an_entry(event_id).raw)


def routes() -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, target FROM log_route ORDER BY 1, 2")
        return [tuple(row) for row in cursor.fetchall()]


SAVE_A_TARGET = """
import sys
from rules.models import Rule, Target
from rules.revisions import save_target
print(save_target(Target(rule=Rule.objects.get(), name="second", connector="http", config={"url": "http://127.0.0.1:9/"})).pk)
"""


def test_a_saved_rule_is_live_for_the_next_commit(log_database: Database, writer: Writer) -> None:
    a_bus()
    directory = Directory()
    directory.refresh()
    before = Matched(directory, event("before"))
    target = a_target(rule=save_rule(a_rule(pattern={"type": ["test.happened"]})))
    # It was matched before the rule was there, and is stored after it.
    assert writer.submit(before).result(30) == [Accepted(1)]
    assert before.redone == 1
    assert routes() == [(1, target.pk)]


def test_a_rule_saved_by_another_process_is_live_for_the_next_commit(
    log_database: Database, writer: Writer
) -> None:
    first = a_target(rule=save_rule(a_rule()))
    directory = Directory()
    directory.refresh()
    assert writer.submit(Matched(directory, event("a"))).result(30) == [Accepted(1)]
    second = int(log_database.run(SAVE_A_TARGET))
    assert writer.submit(Matched(directory, event("b"))).result(30) == [Accepted(2)]
    assert routes() == [(1, first.pk), (2, first.pk), (2, second)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT rules_version FROM log_event ORDER BY seq")
        versions = [row[0] for row in cursor.fetchall()]
    assert versions == [current_versions().rules - 1, current_versions().rules]


def test_a_rule_that_was_switched_off_gets_nothing_from_the_next_commit_on(
    log_database: Database, writer: Writer
) -> None:
    target = a_target(rule=save_rule(a_rule()))
    directory = Directory()
    directory.refresh()
    draft = Matched(directory, event("a"))
    assert draft.entries[0].targets == (target.pk,)
    target.rule.enabled = False
    save_rule(target.rule)
    assert writer.submit(draft).result(30) == [Accepted(1)]
    assert routes() == []


def test_many_threads_get_each_its_own_place(log_database: Database, writer: Writer) -> None:
    def publish(number: int) -> list[int]:
        drafts = [Plain(an_entry(f"{number}-{n}-a"), an_entry(f"{number}-{n}-b")) for n in range(20)]
        return [place.seq for draft in drafts for place in writer.submit(draft).result(30)]

    waits = [in_thread(lambda number=number: publish(number)) for number in range(4)]  # type: ignore[misc]
    seqs = [wait() for wait in waits]
    assert sorted(seq for each in seqs for seq in each) == list(range(1, 161))
    for each in seqs:
        # The two events of a request stand together, and a thread's requests in the order it sent them.
        assert each == sorted(each)
        assert all(second == first + 1 for first, second in zip(each[::2], each[1::2], strict=True))


@pytest.mark.parametrize("bad", [{"subject": "a\0b"}, {"received_at": 2**70}])
def test_one_requests_bad_row_fails_only_that_request(
    log_database: Database, writer: Writer, bad: dict[str, object]
) -> None:
    """On SQLite a NUL is a character like any other; a number beyond 64 bits is no good on either."""
    drafts = [Plain(an_entry("a")), Plain(an_entry("b")._replace(**bad)), Plain(an_entry("c"))]  # type: ignore[arg-type]
    answers = [writer.submit(draft) for draft in drafts]
    assert len(answers[0].result(30)) == len(answers[2].result(30)) == 1
    if log_database.vendor == "sqlite" and "subject" in bad:
        assert len(answers[1].result(30)) == 1
    else:
        with pytest.raises(Unavailable):
            answers[1].result(30)
        assert {stored.raw for stored in open_log().read(0, 10)} == {
            drafts[0].entries[0].raw,
            drafts[2].entries[0].raw,
        }


def test_a_database_that_is_locked_beyond_the_timeout_is_unavailable_and_recovers(
    sqlite_database: Database, writer: Writer
) -> None:
    connection.settings_dict["OPTIONS"]["timeout"] = 0.1  # Shared by the connections of all threads.
    drafts = [Plain(an_entry("a")), Plain(an_entry("b"))]
    with (sqlite_database.town.var / "signalbox.sqlite3.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        answers = [writer.submit(draft) for draft in drafts]
        for answer in answers:
            with pytest.raises(Unavailable, match="does not answer in time") as told:
                answer.result(30)
            assert told.value.retry_after >= 1
    assert writer.submit(drafts[0]).result(30) == [Accepted(1)]


@pytest.mark.service("postgresql")
def test_a_locked_postgresql_is_unavailable_and_recovers(postgresql_log: Database, writer: Writer) -> None:
    import psycopg

    from catalog.stamps import LOG_LOCK

    with psycopg.connect(postgresql_log.town.environment["DATABASE_URL"]) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (LOG_LOCK,))
        answer = writer.submit(Plain(an_entry("a")))
        with pytest.raises(Unavailable, match="does not answer in time"):
            answer.result(30)
    assert writer.submit(Plain(an_entry("a"))).result(30) == [Accepted(1)]


def test_closing_stores_what_is_queued(log_database: Database, writer: Writer) -> None:
    answers = [writer.submit(Plain(an_entry(f"e{n}"))) for n in range(200)]
    writer.close()
    assert sorted(answer.result(0)[0].seq for answer in answers) == list(range(1, 201))
    assert open_log().head() == 200


def test_a_target_is_saved_while_events_flow_and_misses_none_after_it(
    log_database: Database, writer: Writer
) -> None:
    rule = save_rule(a_rule())
    a_target(rule=rule)
    directory = Directory()
    directory.refresh()
    saved: list[tuple[int, int]] = []

    def save() -> None:
        for number in range(5):
            target = save_target(Target(rule=rule, name=f"t{number}", connector="http", config={}))
            saved.append((target.pk, open_log().head()))

    wait = in_thread(save)
    for n in range(300):
        writer.submit(Matched(directory, event(f"e{n}"))).result(30)
    wait()
    writer.submit(Matched(directory, event("last"))).result(30)
    found = routes()
    for target, head in saved:
        taken = [seq for seq, routed in found if routed == target]
        # From the first event it took on it took all, and everything after it was saved.
        assert taken == list(range(taken[0], 302))
        assert taken[0] <= head + 1


@pytest.mark.service("postgresql")
def test_a_value_beyond_a_limit_of_postgresql_fails_only_its_request(
    postgresql_log: Database, writer: Writer
) -> None:
    """An index entry must fit in a third of a page: that is no trouble of the database, and must not hold up others."""
    import hashlib

    long = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(64))
    drafts = [Plain(an_entry("a")), Plain(an_entry("b")._replace(type=long)), Plain(an_entry("c"))]
    answers = [writer.submit(draft) for draft in drafts]
    assert len(answers[0].result(30)) == len(answers[2].result(30)) == 1
    with pytest.raises(Unavailable, match="The log failed"):
        answers[1].result(30)
