"""Our SQLite backend: every write queues for the file lock, autocommit included, and nothing keeps it too long."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from catalog.models import Domain, Stamp, Team
from delivery.log.interface import open_log
from tests.databases import Database, in_thread
from tests.events import an_entry, current_versions
from tests.processes import eventually

WRITE = """
import sys, time
from django.db import transaction
from catalog.models import Stamp
name = sys.argv[1]
Stamp.objects.create(name=name)

def save(count):
    Stamp(name=name, version=count).save(force_update=True)

def change(count):
    with transaction.atomic():
        Stamp.objects.filter(name=name).update(version=count)

print("ready", flush=True)
for write in (save, change):
    sys.stdin.readline()
    ends = time.monotonic() + 2
    count = 0
    while time.monotonic() < ends:
        count += 1
        write(count)
    print(count, flush=True)
"""


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Holds the lock file as another process would."""
    with (database.town.var / "signalbox.sqlite3.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_free(database: Database) -> bool:
    path: Path = database.town.var / "signalbox.sqlite3.lock"
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def set_timeout(seconds: float) -> None:
    """A new connection of this thread, with this deadline."""
    connection.close()
    connection.settings_dict["OPTIONS"]["timeout"] = seconds
    connection.ensure_connection()


def test_four_processes_that_write_all_get_their_share(sqlite_database: Database) -> None:
    """Without the lock one process committed 665 times while three others got once each."""
    with ExitStack() as stack:
        writers = [stack.enter_context(sqlite_database.start(WRITE, f"w{n}")) for n in range(4)]
        pipes = [(writer.stdin, writer.stdout) for writer in writers]
        assert [said.readline() for _, said in pipes if said] == ["ready\n"] * 4
        for how in ("autocommit", "atomic"):
            for tell, _ in pipes:
                assert tell is not None
                tell.write("go\n")
                tell.flush()
            counts = [int(said.readline()) for _, said in pipes if said]
            assert min(counts) >= max(counts) / 4, (how, counts)
            # Every one of those commits is there.
            found = dict(Stamp.objects.filter(name__startswith="w").values_list("name", "version"))
            assert found == {f"w{n}": count for n, count in enumerate(counts)}
    assert [writer.returncode for writer in writers] == [0] * 4, "a writer failed, see its error above"


def test_an_autocommit_save_waits_for_the_lock_and_gives_up_at_the_deadline(
    sqlite_database: Database,
) -> None:
    set_timeout(0.1)
    stamp = Stamp.objects.create(name="mine")
    with held(sqlite_database), pytest.raises(OperationalError, match="database is locked"):
        stamp.save()
    stamp.save()
    assert is_free(sqlite_database)


@pytest.mark.parametrize(
    "write",
    [
        lambda: Stamp.objects.update(version=1),
        lambda: Stamp.objects.all().delete(),
        lambda: Stamp.objects.bulk_create([Stamp(name="b")]),
        lambda: Domain.objects.create(name="a", slug="a", badge="AA"),
        lambda: connection.cursor().execute("  insert into catalog_stamp (name, version) values ('c', 1)"),
        lambda: connection.cursor().execute("WITH n AS (SELECT 2 AS v) UPDATE catalog_stamp SET version = (SELECT v FROM n)"),
        lambda: connection.cursor().executemany("REPLACE INTO catalog_stamp (name, version) VALUES (%s, 1)", [("d",), ("e",)]),
        lambda: connection.cursor().execute("CREATE TABLE extra (id integer)"),
        lambda: open_log().append([[an_entry("a")]], current_versions()),
    ],
)  # fmt: skip
def test_every_kind_of_write_takes_the_lock_and_gives_it_back(
    sqlite_database: Database, write: object
) -> None:
    assert callable(write)
    Stamp.objects.create(name="mine")
    set_timeout(0.05)
    with held(sqlite_database), pytest.raises(OperationalError, match="database is locked"):
        write()
    write()
    # The wait that was given up may be granted only now, and lets go at once.
    eventually(lambda: is_free(sqlite_database), "the lock is free", 10)


def test_reading_never_waits(sqlite_database: Database) -> None:
    Stamp.objects.create(name="mine")
    set_timeout(0.05)
    with held(sqlite_database):
        assert Stamp.objects.count() == 1
        assert open_log().read(0, 10) == []
        with connection.cursor() as cursor:
            cursor.execute("WITH n AS (SELECT 1) SELECT * FROM n")
            assert cursor.fetchall() == [(1,)]


def test_a_saved_row_is_committed_before_the_lock_is_given_back(sqlite_database: Database) -> None:
    """INSERT … RETURNING ends when its rows were read, and SQLite keeps its own lock until then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_team (name, slug) VALUES ('a', 'a'), ('b', 'b') RETURNING id, name"
        )
        assert is_free(sqlite_database)

        def write() -> int:
            connection.ensure_connection()
            connection.connection.execute("PRAGMA busy_timeout=0")
            Team.objects.create(name="c", slug="c")
            return Team.objects.count()

        assert in_thread(write)() == 3
        assert cursor.fetchone() == (1, "a")
        assert list(cursor) == [(2, "b")]
        assert cursor.fetchone() is None
        cursor.execute("INSERT INTO catalog_team (name, slug) VALUES ('d', 'd') RETURNING id")
        assert cursor.fetchmany(5) == [(4,)]
        cursor.execute("SELECT name FROM catalog_team ORDER BY 1")
        assert cursor.fetchall() == [("a",), ("b",), ("c",), ("d",)]


def test_nested_transactions_hold_it_to_the_end_of_the_outermost(sqlite_database: Database) -> None:
    with transaction.atomic():
        Stamp.objects.create(name="a")
        with transaction.atomic():
            Stamp.objects.create(name="b")
        assert not is_free(sqlite_database)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Stamp.objects.create(name="c")
            raise ZeroDivisionError
        assert not is_free(sqlite_database)
    assert is_free(sqlite_database)
    assert set(Stamp.objects.values_list("name", flat=True)) == {"a", "b"}


def test_a_transaction_holds_it_from_its_beginning(sqlite_database: Database) -> None:
    with transaction.atomic():
        assert not is_free(sqlite_database)


def test_a_rollback_gives_it_back(sqlite_database: Database) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Stamp.objects.create(name="a")
        raise ZeroDivisionError
    assert is_free(sqlite_database)
    assert Stamp.objects.count() == 0


def test_hooks_after_the_commit_run_without_it(sqlite_database: Database) -> None:
    found: list[bool] = []
    with transaction.atomic():
        Stamp.objects.create(name="a")
        transaction.on_commit(lambda: found.append(is_free(sqlite_database)))
    assert found == [True]


def test_a_statement_that_fails_gives_it_back(sqlite_database: Database) -> None:
    from django.db import DatabaseError

    with pytest.raises(DatabaseError):
        connection.cursor().execute("INSERT INTO nowhere VALUES (1)")
    assert is_free(sqlite_database)


def test_closing_in_the_middle_of_a_transaction_gives_it_back(sqlite_database: Database) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Stamp.objects.create(name="a")
        connection.close()
        assert is_free(sqlite_database)
        raise ZeroDivisionError
    assert Stamp.objects.count() == 0
    Stamp.objects.create(name="b")
    assert is_free(sqlite_database)


def test_a_wait_that_was_given_up_does_not_keep_it(sqlite_database: Database) -> None:
    stamp = Stamp.objects.create(name="mine")
    set_timeout(0.05)
    with held(sqlite_database):
        for _ in range(3):
            with pytest.raises(OperationalError):
                stamp.save()
    deadline = time.monotonic() + 10
    while not is_free(sqlite_database):
        assert time.monotonic() < deadline
    stamp.save()
