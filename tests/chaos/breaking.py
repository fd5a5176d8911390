"""Faults of what Signalbox stands on: the broker and Redis, PostgreSQL, SQLite's file and its disk."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import time
from contextlib import closing

from tests.chaos.trial import ARRIVES_WITHIN, Trial
from tests.integration.brokers import send_rubbish
from tests.processes import eventually

# So many events go the whole way while the broker is away.
MEANWHILE = 100
LOCKED = 10.0  # seconds
BLOCK = 1024**2  # bytes


def flush(run: Trial, name: str) -> None:
    """The broker, or Redis, forgets everything."""
    run.server(name).flush()


def away(run: Trial, name: str) -> None:
    """It is killed; events are accepted and delivered without it, and it comes back, empty."""
    server = run.server(name)
    server.kill()
    try:
        run.wait_for_others(frozenset(), MEANWHILE)
    finally:
        server.start()


def stand_still(run: Trial) -> None:
    """Redis keeps its connections and answers nobody."""
    redis = run.servers.redis
    assert redis is not None
    redis.stop(signal.SIGSTOP)
    try:
        run.wait_for_others(frozenset(), MEANWHILE)
    finally:
        redis.stop(signal.SIGCONT)


def send_foreign_messages(run: Trial) -> None:
    """Doubled messages, and such as no Signalbox sent."""
    send_rubbish(run.servers.rabbitmq or run.servers.redis, 100)  # type: ignore[arg-type]


def restart_postgresql(run: Trial) -> None:
    """It ends at once and is away for up to five seconds."""
    server = run.servers.postgresql
    assert server is not None
    server.stop()
    time.sleep(run.dice.uniform(0.0, 5.0))
    server.start()


def terminate_connections(run: Trial) -> None:
    """PostgreSQL ends every connection."""
    server = run.servers.postgresql
    assert server is not None
    server.terminate_connections()


def lock_sqlite(run: Trial) -> None:
    """Another program holds SQLite's own lock for ten seconds: publishers are told to come again, nothing is stored."""
    path = run.town.var / "signalbox.sqlite3"
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        _nothing_is_acknowledged(run)
        time.sleep(max(0.0, LOCKED - (time.monotonic() - began)))
        foreign.execute("ROLLBACK")


def fill_disk(run: Trial) -> None:
    """The disk is full until somebody makes room: publishers are told to come again, nothing acknowledged is lost."""
    assert run.servers.disk is not None
    filler = run.servers.disk / "filler"
    refused = run.load.refused[503]
    try:
        with filler.open("wb", buffering=0) as file:
            _fill(file.fileno())
        eventually(
            lambda: run.load.refused[503] > refused, "publishers are told to come again", ARRIVES_WITHIN
        )
    finally:
        filler.unlink()


def _nothing_is_acknowledged(run: Trial) -> None:
    time.sleep(0.5)  # What was committed before may still be answered.
    acknowledged, refused = len(run.load.acknowledged), run.load.refused[503]
    eventually(lambda: run.load.refused[503] > refused, "publishers are told to come again", ARRIVES_WITHIN)
    assert len(run.load.acknowledged) == acknowledged, "something was acknowledged without the write lock"


def _fill(descriptor: int) -> None:
    block = b"\0" * BLOCK
    while block:
        try:
            os.write(descriptor, block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            block = block[: len(block) // 2]
