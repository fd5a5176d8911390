import django.core.serializers.json
import django.utils.timezone
from django.db import migrations, models

# An audit record is written once: the database itself refuses to change one. Retention may delete. On SQLite, whoever
# changes this table in a later migration makes the trigger again (a test asks whether it is there).
SQLITE = [
    "CREATE TRIGGER audit_is_written_once BEFORE UPDATE ON catalog_auditrecord "
    "BEGIN SELECT RAISE(ABORT, 'an audit record never changes'); END"
]
POSTGRESQL = [
    "CREATE FUNCTION audit_is_written_once() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'an audit record never changes'; END $$",
    "CREATE TRIGGER audit_is_written_once BEFORE UPDATE ON catalog_auditrecord "
    "FOR EACH ROW EXECUTE FUNCTION audit_is_written_once()",
]
NO_SQLITE = ["DROP TRIGGER audit_is_written_once"]
NO_POSTGRESQL = [
    "DROP TRIGGER audit_is_written_once ON catalog_auditrecord",
    "DROP FUNCTION audit_is_written_once()",
]


def guard(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def unguard(apps, schema_editor):
    for statement in NO_POSTGRESQL if schema_editor.connection.vendor == "postgresql" else NO_SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0009_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('by', models.CharField(blank=True, default='', max_length=150)),
                ('via', models.CharField(max_length=8)),
                ('address', models.CharField(blank=True, default='', max_length=45)),
                ('action', models.CharField(choices=[('created', 'made'), ('changed', 'changed'), ('deleted', 'deleted'), ('enabled', 'switched on'), ('disabled', 'switched off'), ('paused', 'paused'), ('resumed', 'resumed'), ('retired', 'retired'), ('restored', 'brought back'), ('revoked', 'revoked'), ('redriven', 'sent again'), ('discarded', 'discarded'), ('undone', 'taken back'), ('stopped', 'stopped early'), ('emptied', 'emptied'), ('probed', 'probed'), ('sent', 'sent by hand'), ('invited', 'given a link'), ('password', 'new password'), ('signed-in', 'signed in'), ('signed-out', 'signed out'), ('refused', 'sign-in failed')], max_length=12)),
                ('kind', models.CharField(max_length=20)),
                ('key', models.CharField(max_length=255)),
                ('name', models.CharField(max_length=255)),
                ('before', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('after', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('note', models.CharField(blank=True, default='', max_length=300)),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['at', 'id'], name='audit_by_time'), models.Index(fields=['by', 'id'], name='audit_by_actor'), models.Index(fields=['kind', 'key', 'id'], name='audit_by_object'), models.Index(fields=['kind', 'id'], name='audit_by_kind'), models.Index(fields=['action', 'id'], name='audit_by_action')],
            },
        ),
        migrations.RunPython(guard, unguard),
    ]
