"""Which order a lane group is served in, for databases that were made before it was kept."""

from django.db import migrations


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        columns = {column.name for column in connection.introspection.get_table_description(cursor, "runner_slot")}
    if "mode" not in columns:
        editor.execute("ALTER TABLE runner_slot ADD COLUMN mode text")


class Migration(migrations.Migration):
    dependencies = [("delivery", "0003_backfill")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
