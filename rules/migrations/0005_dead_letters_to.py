"""Where a target's dead letters go on to."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rules", "0004_policies")]
    operations = [
        migrations.AddField(
            model_name="target",
            name="dead_letters_to",
            field=models.ForeignKey(
                blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL,
                related_name="takes_dead_letters_of", to="rules.target", verbose_name="dead letters go on to",
            ),
        ),
    ]
