"""The data plane's own tables, from the SQL in delivery/log/schema.py."""

from django.db import migrations

from delivery.log import schema


def create(apps, editor):
    for statement in schema.create(editor.connection.vendor):
        editor.execute(statement)


def drop(apps, editor):
    for statement in schema.drop():
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial"), ("rules", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
