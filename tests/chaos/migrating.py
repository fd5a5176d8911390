"""A migration while events are published: a column that may be empty, and its values, on the largest table."""

from __future__ import annotations

import json
from itertools import count

from tests.chaos.trial import Trial

_numbers = count()

# As a migration does it here: the lock that it needs for a moment is asked for again where it is not there at once, and
# the values come in parts, each a short transaction of its own.
MIGRATE = """
import json, time
from django.db import connection, transaction
from django.db.utils import OperationalError
column = "chaos_%(number)d"
for attempt in range(100):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
            cursor.execute(f"ALTER TABLE log_event ADD COLUMN {column} text NULL")
        break
    except OperationalError:
        time.sleep(0.05)
with connection.cursor() as cursor:
    cursor.execute("SELECT MAX(seq) FROM log_event")
    last = cursor.fetchone()[0]
    for first in range(0, last, 500):
        with transaction.atomic():
            cursor.execute(
                f"UPDATE log_event SET {column} = type WHERE seq > %%s AND seq <= %%s", [first, min(first + 500, last)]
            )
        time.sleep(0.01)
    cursor.execute(f"SELECT COUNT(*), COUNT({column}) FROM log_event WHERE seq <= %%s", [last])
    print(json.dumps(cursor.fetchone()))
"""


def migrate(run: Trial) -> None:
    """Nobody is refused meanwhile, and processes that know nothing of the column go on."""
    refused = run.load.refused.total()
    before = len(run.load.acknowledged)
    rows, filled = json.loads(
        run.town.manage("shell", "-v0", "-c", MIGRATE % {"number": next(_numbers)}).splitlines()[-1]
    )
    assert rows == filled, f"{rows - filled} rows have no value"
    assert len(run.load.acknowledged) > before, "nothing was accepted meanwhile"
    assert run.load.refused.total() == refused, f"{run.load.refused.total() - refused} requests were refused"
