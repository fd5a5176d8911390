"""Leases that retention asks back, and what workers that share a target have under way, for databases made before."""

from django.db import migrations

from delivery.log import schema

ADDED = (("runner_slot", "wanted"), ("runner_gate", "slow"))


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        columns = {
            table: {column.name for column in connection.introspection.get_table_description(cursor, table)}
            for table, _ in ADDED
        }
    for statement in schema.tables(connection.vendor, {"runner_place"} - there):
        editor.execute(statement)
    for table, name in ADDED:
        if name not in columns[table]:
            counter = schema.counters_of(connection.vendor, [name])
            editor.execute(f"ALTER TABLE {table} ADD COLUMN {counter}")


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0011_partitions")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
