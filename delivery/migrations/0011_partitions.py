"""Where the router is in the partitions of a broker."""

from django.db import migrations

from delivery.log import schema


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    for statement in schema.tables(connection.vendor, {"log_partition"} - there):
        editor.execute(statement)


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0010_dead_letters")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
