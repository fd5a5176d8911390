"""Attempts with worker and phases, plain successes in packs, and more counts per minute, for databases made before.

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
    if "attempt_pack" not in tables:
        for statement in schema.tables(connection.vendor, ["attempt_pack"]):
            editor.execute(statement)


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0005_versions_and_sources")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
