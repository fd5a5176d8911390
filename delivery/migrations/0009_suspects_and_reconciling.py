"""Events that were being sent when their worker died, and what reconciling found."""

from django.db import migrations, models

from delivery.log import schema


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    for statement in schema.tables(connection.vendor, {"runner_suspect"} - there):
        editor.execute(statement)


class Migration(migrations.Migration):
    # Backwards, 0002 drops all tables of the data plane.
    dependencies = [("delivery", "0008_packed_attempts")]
    operations = [
        migrations.RunPython(add, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.BigIntegerField(db_index=True)),
                ("took", models.BigIntegerField()),
                ("found", models.JSONField(default=list)),
            ],
            options={"ordering": ("-id",)},
        ),
    ]
