"""Breakers, rates and the running clock of targets, for databases that were made before they were."""

from django.db import migrations

from delivery.log import schema


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        columns = {
            column.name for column in connection.introspection.get_table_description(cursor, "runner_exception")
        }
    if "clock" not in columns:
        editor.execute(f"ALTER TABLE runner_exception ADD COLUMN clock {'INTEGER' if connection.vendor == 'sqlite' else 'bigint'}")
    if "runner_gate" not in there:
        for statement in schema.tables(connection.vendor, ["runner_gate"]):
            editor.execute(statement)


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0005_versions_and_sources")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
