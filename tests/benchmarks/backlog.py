"""What several benchmarks begin with: events in the log, routed to a target, and one shift that delivers them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.benchmarks.events import event
from tests.benchmarks.servers import ROOT, on_core
from tests.processes import Town

BATCH = 500
PLAIN: dict[str, Any] = {"type": ["shop.order.placed"]}
# A filter that looks into the data, and a transform that sends nearly as many bytes as came.
FILTER: dict[str, Any] = {
    "type": ["shop.order.placed"],
    "data": {"total": {"amount": [{"numeric": [">", 100]}]}, "customer": {"country": ["SE", "NO"]}},
}
TRANSFORM = {
    "kind": "template",
    "template": '{"order": "${data.order_id}", "amount": ${data.total.amount}, "sent": "${time}", '
    '"text": "${data.customer.id} ordered for ${data.total.amount} ${data.total.currency}", '
    '"skus": ${data.lines[*].sku}, "note": "${data.note}"}',
}


def store(town: Town, port: int, count: int, **target: Any) -> None:
    """Puts `count` events into the log as ingest stores them, for one target at `port`; `target`: as `fill` takes it."""
    call = f"from tests.benchmarks import backlog; backlog.fill({port}, {count}, **{target!r})"
    town.manage("shell", "-c", call)


def fill(
    port: int,
    count: int,
    pattern: dict[str, Any] = PLAIN,
    transform: dict[str, Any] | None = None,
    order: str = "key",
    mode: str = "structured",
    path: str = "/hook",
) -> None:
    """Runs inside `manage.py shell`. A rule with `pattern`, its target, and then the events, of 1,000 subjects."""
    from catalog.models import Bus, Team
    from delivery.cloudevents import decode_batch
    from delivery.ingest.pipeline import CONSOLE, pipeline
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    team, _ = Team.objects.get_or_create(name="Bench", slug="bench")
    bus, _ = Bus.objects.get_or_create(name="main")
    config = {"url": f"http://127.0.0.1:{port}{path}", "mode": mode}
    subscribe(
        Rule(name="Orders", bus=bus, team=team, pattern=pattern),
        Target(name="Sink", connector="http", config=config, transform=transform or {}, order=order),
    )
    way = pipeline()
    way.directory.refresh()
    for first in range(0, count, BATCH):
        body = batch(first, min(first + BATCH, count))
        way.writer.submit(way.request("main", CONSOLE, decode_batch(body))).result()
    way.close()


def batch(first: int, last: int) -> bytes:
    """Events `first` to `last`, without it, in the batch format."""
    return json.dumps([event(number, number % 1000) for number in range(first, last)]).encode()


def delivered(
    town: Town, expected: int, core: int | None = None, more: tuple[str, ...] = ()
) -> dict[str, float]:
    """One shift until `expected` are delivered: what tests/benchmarks/shift.py, which takes `more`, prints.

    `core`: the only one it may use.
    """
    found = printed(["-m", "tests.benchmarks.shift", str(expected), *more], town, core)
    assert found["count"] == expected, found
    return found


def printed(arguments: list[str], town: Town, core: int | None = None) -> dict[str, float]:
    """The JSON object that a Python process with the town's settings prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**town.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=on_core(core),
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, float] = json.loads(done.stdout)
    return result
