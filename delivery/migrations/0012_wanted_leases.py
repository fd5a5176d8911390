"""Leases that retention asks back, for databases that were made before it did."""

from django.db import migrations


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        columns = {column.name for column in connection.introspection.get_table_description(cursor, "runner_slot")}
    if "wanted" not in columns:
        integer = "INTEGER" if connection.vendor == "sqlite" else "bigint"
        editor.execute(f"ALTER TABLE runner_slot ADD COLUMN wanted {integer} NOT NULL DEFAULT 0")


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0011_partitions")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
