"""Counts of deliveries per hour and per day, for databases made before; the next upkeep adds up what there is."""

from django.db import migrations

from delivery.log import schema

TABLES = {"rollup_delivered_hour", "rollup_delivered_day"}


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    for statement in schema.tables(connection.vendor, TABLES - there):
        editor.execute(statement)


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0012_shared_leases")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
