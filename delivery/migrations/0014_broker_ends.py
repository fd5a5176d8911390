"""How far a broker's partitions reach, for databases made before."""

from django.db import migrations

from delivery.log import schema


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        description = connection.introspection.get_table_description(cursor, "log_partition")
    if "ends" not in {column.name for column in description}:
        counter = schema.counters_of(connection.vendor, ["ends"])
        editor.execute(f"ALTER TABLE log_partition ADD COLUMN {counter}")


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0013_counts_per_hour_and_day")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
