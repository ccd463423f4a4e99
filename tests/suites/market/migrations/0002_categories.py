"""Rows that every new database has, as many hosts bring some."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def bring(apps: Any, editor: Any) -> None:
    if editor.connection.alias == "default":
        category = apps.get_model("market", "Category")
        category.objects.bulk_create([category(name="Lamps"), category(name="Chairs")])


class Migration(migrations.Migration):
    dependencies = [("market", "0001_initial")]

    operations = [migrations.RunPython(bring, migrations.RunPython.noop)]
