"""What is slow or risky about how this Signalbox is set up: sentences for whoever starts it, only those that apply."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

from delivery.tracking.read import now, rows

# Kinds of file system that are somewhere else, as /proc/mounts names them: their locks and syncs are not to be relied on.
NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "fuse.sshfs",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "virtiofs",
    }
)
MOUNTS = Path("/proc/mounts")
SLOW_SYNC = 0.010  # seconds
SLOW_ANSWER = 0.005  # seconds
SYNCS = 5
LEAST_FREE = 0.05
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def advice() -> list[str]:
    """The sentences that apply now. Measures the disk or the database, which takes a few of its round trips."""
    found: list[str] = []
    for check in CHECKS:
        # What cannot be looked at says nothing: whoever starts Signalbox is to read the rest.
        with suppress(OSError, DatabaseError):
            found += check()
    return found


def file_system(path: Path, mounts: str) -> str:
    """The kind of file system that `path` is on, by the text of /proc/mounts; "" when that does not say."""
    place, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        inside = str(path) == point or str(path).startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(place):
            place, kind = point, fields[2]
    return kind


def sync_seconds(folder: Path) -> float:
    """The median time that a write of 4 KiB takes to be on the disk of `folder`."""
    name = folder / f"sync-{os.getpid()}"
    descriptor = os.open(name, os.O_CREAT | os.O_WRONLY, 0o600)

    def write() -> None:
        os.pwrite(descriptor, os.urandom(4096), 0)
        os.fsync(descriptor)

    try:
        return _median(write)
    finally:
        os.close(descriptor)
        name.unlink()


def _median(work: Callable[[], object]) -> float:
    took = []
    for _time in range(SYNCS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def _sqlite() -> Iterator[str]:
    if connection.vendor != "sqlite":
        return
    folder = Path(settings.VAR)
    kind = file_system(folder, MOUNTS.read_text()) if MOUNTS.exists() else ""
    if kind in NETWORK:
        yield _(
            "%(folder)s is on a network file system (%(kind)s): SQLite's locks may fail there and acknowledged events be lost. "
            "Put it on a local disk (SIGNALBOX_VAR), or use PostgreSQL (DATABASE_URL)."
        ) % {"folder": folder, "kind": kind}
    took = sync_seconds(folder)
    if took > SLOW_SYNC:
        yield _(
            "The disk of %(folder)s takes %(ms)d ms to store a write for good, and every publisher waits for that. "
            "A local SSD takes 1 to 5."
        ) % {"folder": folder, "ms": round(took * 1000)}


def _postgresql() -> Iterator[str]:
    if connection.vendor != "postgresql":
        return
    names = ("fsync", "synchronous_commit", "full_page_writes")
    found = {name: rows(f"SHOW {name}")[0][0] for name in names}
    for name, value in found.items():
        if value == "off":
            yield _(
                "PostgreSQL runs with %(name)s = off: a power cut may take events with it that were acknowledged. Set it to on."
            ) % {"name": name}
    took = _median(lambda: rows("SELECT 1"))
    if took > SLOW_ANSWER:
        yield _(
            "PostgreSQL takes %(ms)d ms to answer the shortest question. Each commit asks four; move it nearer."
        ) % {"ms": round(took * 1000)}


def _brokers() -> Iterator[str]:
    if settings.CELERY_BROKER_URL.startswith("memory:"):
        elsewhere = rows(
            "SELECT COUNT(DISTINCT host) FROM runner_shift WHERE seen_at > %s AND host <> %s",
            [now() - 60_000_000, socket.gethostname()],
        )[0][0]
        if elsewhere:
            yield _(
                "Workers of %(n)d other machines use this database, and this one's broker is in memory: they cannot ring for "
                "one another. Set CELERY_BROKER_URL for all of them."
            ) % {"n": elsewhere}
    elif not settings.REDIS_URL:
        yield _(
            "The live feed is in memory: with several web processes, pages move only for what happens in their own. "
            "Set REDIS_URL."
        )


def _process() -> Iterator[str]:
    if settings.DEBUG:
        yield _(
            "SIGNALBOX_DEBUG is on: error pages show source code and settings, every query is remembered, and everything is slower."
        )
    if importlib.util.find_spec("uvloop") is None:
        yield _("uvloop is not installed: ingest and delivery take about twice the processor time.")
    if settings.HOST not in LOOPBACK and not settings.PRODUCTION:
        yield _(
            "%(host)s is reached from other machines without SIGNALBOX_PRODUCTION=1: no HTTPS, and targets may be on this machine."
        ) % {"host": settings.HOST}


def _room() -> Iterator[str]:
    disk = shutil.disk_usage(settings.VAR)
    if disk.free < disk.total * LEAST_FREE:
        yield _("The disk of %(folder)s is %(percent)d %% full. When it is full, publishers get 503.") % {
            "folder": settings.VAR,
            "percent": round(100 * (1 - disk.free / disk.total)),
        }


CHECKS = (_sqlite, _postgresql, _brokers, _process, _room)
