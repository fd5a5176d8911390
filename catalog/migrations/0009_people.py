import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('catalog', '0008_what_waits_at_most'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Profile',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='profile', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('role', models.CharField(blank=True, choices=[('reader', 'reader'), ('editor', 'editor')], default='', max_length=8, verbose_name='role')),
                ('seen_at', models.DateTimeField(editable=False, null=True)),
                ('language', models.CharField(blank=True, default='', max_length=10, verbose_name='language')),
                ('theme', models.CharField(blank=True, choices=[('light', 'light'), ('dark', 'dark')], default='', max_length=5, verbose_name='theme')),
                ('link_digest', models.CharField(blank=True, db_index=True, default='', editable=False, max_length=64)),
                ('link_ends_at', models.DateTimeField(editable=False, null=True)),
                ('invited_by', models.CharField(blank=True, default='', editable=False, max_length=150)),
            ],
        ),
        migrations.AddField(
            model_name='token',
            name='created_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tokens', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='token',
            name='used_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
