"""Attempts with worker and phases, plain successes in packs, more counts per minute and the same per five minutes.

Attempts on record stay as they are: rows without a worker and phases.
"""

from django.db import migrations

from delivery.log import schema


def add(apps, editor):
    connection = editor.connection
    integer = {"sqlite": "INTEGER", "postgresql": "bigint"}[connection.vendor]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))

        def missing(table, wanted):
            there = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            return {name: definition for name, definition in wanted.items() if name not in there}

        wanted = {"worker": "text"} | dict.fromkeys(("lookup", "connect", "tls", "first_byte"), integer)
        for name, definition in missing("attempt", wanted).items():
            editor.execute(f"ALTER TABLE attempt ADD COLUMN {name} {definition}")
        counters = dict.fromkeys((*schema.OUTCOMES, *schema.DURATIONS), f"{integer} NOT NULL DEFAULT 0")
        for name, definition in missing("rollup_delivered", counters).items():
            editor.execute(f"ALTER TABLE rollup_delivered ADD COLUMN {name} {definition}")
    for name in ("attempt_pack", "rollup_delivered_slot"):
        if name not in tables:
            for statement in schema.tables(connection.vendor, [name]):
                editor.execute(statement)
            if name == "rollup_delivered_slot":
                counted = ("delivered", "retried", "dead", *schema.LATENCIES)
                editor.execute(
                    f"INSERT INTO {name} (target, slot, {', '.join(counted)}) SELECT target, minute / {schema.SLOT_MINUTES}, "
                    f"{', '.join(f'SUM({column})' for column in counted)} FROM rollup_delivered "
                    f"GROUP BY target, minute / {schema.SLOT_MINUTES}"
                )


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0007_peers")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
