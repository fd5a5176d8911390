"""200 open dashboards on one web process while 1,000 events a second pass: what they cost it, against a tenth of a core.

Another process stores the events, their attempts and counts, so that ingest does not count; what the web process costs
without a dashboard is taken off. The dashboards are WebSocket clients that watch what the page of deliveries does.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
import zlib
from pathlib import Path

from tests.benchmarks.figures import figure, note
from tests.processes import MANAGE, Town, Towns
from tests.vectors import REPOSITORY

CLIENTS, PER_SECOND, TARGETS = 200, 1000, 20
SETTLE, MEASURED, REPETITIONS = 6.0, 20.0, 3
LIMIT = 0.1
TOPICS = ["rate", "dead-letters", "deliveries", "summary:1h"]
TICKS = os.sysconf("SC_CLK_TCK")


def run(towns: Towns) -> None:
    """Prints the figures for SQLite and PostgreSQL."""
    for name, postgresql in (("SQLite", False), ("PostgreSQL", True)):
        with towns.new(postgresql=postgresql) as town:
            cookie = town.manage("shell", "-c", "from tests.benchmarks.live import fill; fill()").split()[-1]
            town.start("web")
            note(f"{CLIENTS} dashboards at {PER_SECOND:,} events/s on {name} …")
            measure(town, name, cookie)


def measure(town: Town, name: str, cookie: str) -> None:
    """Prints the figures of a town."""
    seconds = (SETTLE + MEASURED + 4) * 2 * REPETITIONS
    writer = subprocess.Popen(
        [*MANAGE, "shell", "-c", f"from tests.benchmarks.live import write; write({seconds})"],
        cwd=REPOSITORY,
        env=town.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    while "writes" not in writer.stdout.readline():
        pass
    web = town.processes["web"].pid
    cost, frames, most, size, stored, without = [], [], [], [], [], []
    try:
        for _ in range(REPETITIONS):
            time.sleep(SETTLE)
            alone = _busy(web, MEASURED)
            head, began = _head(town), time.monotonic()
            seen = asyncio.run(_watched(town, cookie, web))
            stored.append((_head(town) - head) / (time.monotonic() - began))
            cost.append(max(seen.busy - alone, 0.0))
            without.append(alone)
            frames.append(seen.frames)
            most.append(float(seen.most))
            size.append(seen.size)
    finally:
        writer.terminate()
        writer.communicate()
    each = [LIMIT] * REPETITIONS
    more = {
        "frames_per_second": round(sum(frames) / len(frames), 2),
        "kib_per_second": round(sum(size) / len(size) / 1024, 1),
        "events_per_second": round(sum(stored) / len(stored)),
        "cores_without": round(sum(without) / len(without), 3),
    }
    figure(
        f"live, {CLIENTS} dashboards, {name}", cost, each, f"{LIMIT:g} of a core", 1, "cores", at_most=True, **more
    )  # fmt: skip
    figure(
        f"live, most frames in a second, {name}", most, [4.0] * REPETITIONS, "4", 1, "frames", at_most=True
    )


def _head(town: Town) -> int:
    return int(town.query("SELECT seq FROM log_head WHERE id = 1")[0][0])


class Seen:
    """What the dashboards saw: processor time of the web process, frames and bytes a second for each, most frames in one second."""

    def __init__(self) -> None:
        self.busy = 0.0
        self.frames = 0.0
        self.size = 0.0
        self.most = 0
        self.at: list[list[float]] = []
        self.bytes = 0


async def _watched(town: Town, cookie: str, web: int) -> Seen:
    """Opens the dashboards, waits until all is quiet, and measures for a while."""
    seen, done = Seen(), asyncio.Event()
    open_ = asyncio.Semaphore(10)
    counting = asyncio.Event()
    tasks = [
        asyncio.create_task(_dashboard(town, cookie, seen, open_, counting, done)) for _ in range(CLIENTS)
    ]
    await asyncio.sleep(SETTLE)
    while len(seen.at) < CLIENTS:
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE)
    counting.set()
    before = await asyncio.to_thread(_busy, web, MEASURED)
    counting.clear()
    done.set()
    seen.busy = before
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    seen.frames = sum(map(len, seen.at)) / CLIENTS / MEASURED
    seen.size = seen.bytes / CLIENTS / MEASURED
    seen.most = max(_most_in_a_second(times) for times in seen.at)
    return seen


async def _dashboard(
    town: Town,
    cookie: str,
    seen: Seen,
    open_: asyncio.Semaphore,
    counting: asyncio.Event,
    done: asyncio.Event,
) -> None:
    from websockets.asyncio.client import connect

    headers = {"Cookie": f"sessionid={cookie}", "Origin": town.url}
    address = town.url.replace("http", "ws", 1) + "/ws/console/"
    async with open_:
        socket = await connect(address, additional_headers=headers, compression=None, max_size=None)
    async with socket:
        await socket.send(json.dumps({"topics": TOPICS, "since": {}, "language": "en"}))
        first = await socket.recv()
        assert isinstance(first, bytes)
        assert json.loads(zlib.decompress(first, wbits=-15))["head"] > 0
        mine: list[float] = []
        seen.at.append(mine)
        while not done.is_set():
            message = await socket.recv()
            if counting.is_set():
                mine.append(time.monotonic())
                seen.bytes += len(message)


def _most_in_a_second(times: list[float]) -> int:
    """Frames in the busiest second. One that came a hair early, because this process was late before, does not count."""
    return max((sum(start <= at < start + 0.95 for at in times) for start in times), default=0)


def _busy(pid: int, seconds: float) -> float:
    """Cores that the process keeps busy, over so many seconds."""
    before, began = _ticks(pid), time.monotonic()
    time.sleep(seconds)
    return (_ticks(pid) - before) / TICKS / (time.monotonic() - began)


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def fill() -> None:
    """Makes somebody who is signed in, and the targets. Runs inside `manage.py shell`; prints the session's key."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore

    from catalog.models import Bus, Team
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    user = get_user_model()._default_manager.create_superuser("bench", password="bench")
    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Checkout", slug="checkout")
    for number in range(TARGETS):
        rule = Rule(name=f"Rule {number}", bus=bus, team=team, pattern={"type": ["order.placed"]})
        target = Target(name=f"Target {number:02}", connector="http", config={"url": "http://127.0.0.1:9/"})
        subscribe(rule, target)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    print(session.session_key)


def write(seconds: float) -> None:
    """Stores events four times a second, each delivered to one target, with what a shift records. Inside `manage.py shell`."""
    from django.db import connection, transaction

    from catalog.models import Bus
    from delivery.cloudevents import decode_structured
    from delivery.log.entry import entry_of
    from delivery.log.interface import open_log
    from delivery.tracking.packing import Plain, pack
    from delivery.tracking.read import now
    from rules.models import Target
    from tests.integration import rows

    log, bus, versions = open_log(), Bus.objects.get().pk, rows.versions()
    targets = list(Target.objects.values_list("pk", flat=True))
    each = PER_SECOND // 4
    ends, number = time.monotonic() + seconds, 0
    print("writes", flush=True)
    due = time.monotonic()
    while time.monotonic() < ends:
        entries = []
        for _ in range(each):
            number += 1
            event = {
                "specversion": "1.0", "id": f"e{number}", "source": "/shop", "type": "order.placed",
                "subject": f"order-{number}", "data": {"n": number},
            }  # fmt: skip
            entries.append(entry_of(decode_structured(json.dumps(event).encode()), bus, now(), versions, ()))
        stored = log.append([entries], versions)[0]
        share = each // len(targets)
        with transaction.atomic():
            for place, target in enumerate(targets):
                seqs = [one.seq for one in stored[place * share : (place + 1) * share or None]]
                plain = [Plain(seq, now() - 3000, 3000, 200, None) for seq in seqs]
                for packed in pack(plain, 1, "host-1-a"):
                    rows.execute(
                        "INSERT INTO attempt_pack (target, hi, lo, body) VALUES (%s, %s, %s, %s)",
                        target, packed.hi, packed.lo, packed.body,
                    )  # fmt: skip
                _count(target, len(seqs))
            # A person sees failures, too: one event in a hundred is tried again.
            rows.attempt(targets[0], stored[0].seq, rows.Outcome.RETRY, status=503, reason="It answers 503.")
        due += 0.25
        time.sleep(max(0.0, due - time.monotonic()))
        if due < time.monotonic() - 5:
            due = time.monotonic()
    connection.close()


def _count(target: int, count: int) -> None:
    from tests.integration import rows

    at = int(time.time()) // 60
    for table, column, value in (
        ("rollup_delivered", "minute", at),
        ("rollup_delivered_slot", "slot", at // 5),
    ):
        rows.execute(
            f"INSERT INTO {table} (target, {column}, delivered, retried, dead, l3, d3) VALUES (%s, %s, %s, 0, 0, %s, %s) "
            f"ON CONFLICT (target, {column}) DO UPDATE SET delivered = {table}.delivered + excluded.delivered, "
            f"l3 = {table}.l3 + excluded.l3, d3 = {table}.d3 + excluded.d3",
            target, value, count, count, count,
        )  # fmt: skip
