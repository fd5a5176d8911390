"""One shift in a process of its own, with how much processor time it took.

`python -m tests.benchmarks.shift EVENTS`: works until EVENTS attempts are recorded, prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import uvloop  # noqa: E402
from django.db import connection  # noqa: E402

from delivery.runner.shift import Shift  # noqa: E402
from delivery.tracking.read import rows  # noqa: E402
from tests import recorded  # noqa: E402


def main() -> None:
    expected = int(sys.argv[1])
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
    stop.set()
    thread.join()
    spent = time.process_time() - cpu
    made = recorded.attempts(rows)
    count, first, last = len(made), min(one.at for one in made), max(one.at + one.took for one in made)
    rate = count / ((last - first) / 1e6)
    print(json.dumps({"count": count, "rate": rate, "cpu_us": spent / count * 1e6}))


if __name__ == "__main__":
    main()
