"""Requests for dead letters, and which of them were forwarded."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def add(apps, editor):
    connection = editor.connection
    with connection.cursor() as cursor:
        columns = {column.name for column in connection.introspection.get_table_description(cursor, "runner_exception")}
    if "told" not in columns:
        kind = "INTEGER" if connection.vendor == "sqlite" else "bigint"
        editor.execute(f"ALTER TABLE runner_exception ADD COLUMN told {kind} NOT NULL DEFAULT 0")


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0009_suspects_and_reconciling"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.RunPython(add, migrations.RunPython.noop),
        migrations.CreateModel(
            name="LetterJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("redrive", "redrive"), ("discard", "discard")], max_length=8)),
                ("chosen", models.JSONField(default=dict)),
                ("reason", models.CharField(blank=True, default="", max_length=200)),
                ("by_name", models.CharField(blank=True, default="", max_length=150)),
                ("asked_at", models.BigIntegerField()),
                ("starts_at", models.BigIntegerField()),
                ("total", models.PositiveIntegerField(default=0)),
                ("exact", models.BooleanField(default=True)),
                ("done", models.PositiveIntegerField(default=0)),
                ("acted", models.JSONField(default=list)),
                ("at_seq", models.BigIntegerField(default=0)),
                ("at_target", models.BigIntegerField(default=0)),
                ("held_until", models.BigIntegerField(default=0)),
                ("ended_at", models.BigIntegerField(db_index=True, null=True)),
                ("ended", models.CharField(blank=True, choices=[("done", "done"), ("cancelled", "cancelled")], default="", max_length=10)),
                ("by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={"ordering": ("-id",)},
        ),
    ]
