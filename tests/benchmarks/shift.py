"""One shift in a process of its own, with how much processor time it took.

`python -m tests.benchmarks.shift EVENTS [pruned]`: works until EVENTS attempts are recorded, prints one JSON object. With
`pruned` it stays until the routes it has passed are gone; `routes_us` is what hearing of routes and dropping them took, for
each delivery, and no part of `cpu_us` after the last was delivered.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import uvloop  # noqa: E402
from django.db import connection  # noqa: E402

from delivery.runner.shift import Shift  # noqa: E402
from delivery.runner.store import Store  # noqa: E402
from delivery.tracking.read import rows  # noqa: E402
from tests import recorded  # noqa: E402

# What a shift asks of the database because events are routed: which targets have new ones, up to which, and, when all of
# them are passed, that their routes go. What it reads to send is part of the delivery.
OF_ROUTES = ("routed_since", "newest", "prune")
_routes = 0.0  # seconds of processor time


def _timed(work: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*arguments: Any) -> Any:
        global _routes
        began = time.thread_time()
        try:
            return work(*arguments)
        finally:
            _routes += time.thread_time() - began

    return timed


def main() -> None:
    expected, pruned = int(sys.argv[1]), sys.argv[2:] == ["pruned"]
    for name in OF_ROUTES:
        setattr(Store, name, _timed(getattr(Store, name)))
    stop = threading.Event()
    shift = Shift(stop, stay=120)
    cpu = time.process_time()
    thread = threading.Thread(target=lambda: uvloop.run(shift.run(lambda: None)))
    thread.start()
    while thread.is_alive():
        time.sleep(0.2)
        with connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(SUM(delivered), 0) FROM rollup_delivered")
            if cursor.fetchone()[0] >= expected:
                break
    after = time.process_time() - cpu
    while pruned and thread.is_alive():
        time.sleep(0.2)
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM log_route)")
            pruned = bool(cursor.fetchone()[0])
    stop.set()
    thread.join()
    spent = after if sys.argv[2:] else time.process_time() - cpu
    made = recorded.attempts(rows)
    count, first, last = len(made), min(one.at for one in made), max(one.at + one.took for one in made)
    rate = count / ((last - first) / 1e6)
    print(
        json.dumps(
            {"count": count, "rate": rate, "cpu_us": spent / count * 1e6, "routes_us": _routes / count * 1e6}
        )
    )


if __name__ == "__main__":
    main()
