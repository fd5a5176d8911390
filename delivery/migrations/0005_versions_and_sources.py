"""Counts per schema version and per source, and readers that follow the log, for databases made before they were."""

from django.db import migrations

from delivery.log import schema

NAMES = ("rollup_version", "rollup_source", "log_follower")


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    for statement in schema.tables(connection.vendor, [name for name in NAMES if name not in there]):
        editor.execute(statement)


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0004_order_in_force")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
