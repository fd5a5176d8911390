from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_discovery")]

    operations = [
        migrations.AddIndex(
            "FieldUse",
            models.Index(fields=["name", "kind", "event_type"], name="field_use_kinds"),
        ),
    ]
