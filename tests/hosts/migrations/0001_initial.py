import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tests.hosts.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("file", models.FileField(upload_to="")),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("number", models.CharField(blank=True, max_length=20)),
                ("is_paid", models.BooleanField(default=True)),
                ("pdf", models.FileField(blank=True, upload_to="invoices")),
                (
                    "scan",
                    models.FileField(
                        blank=True, storage=tests.hosts.models.archive, upload_to="scans"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Long",
            fields=[
                ("name", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("file", models.FileField(upload_to="")),
            ],
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="hosts.invoice",
                    ),
                ),
                ("file", models.FileField(upload_to="")),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "invoice_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="hosts.invoice",
                    ),
                ),
                ("level", models.PositiveSmallIntegerField(default=1)),
                ("level_file", models.FileField(blank=True, upload_to="reminders")),
            ],
            bases=("hosts.invoice",),
        ),
        migrations.AddField(
            model_name="invoice",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="hosts.customer",
            ),
        ),
        migrations.CreateModel(
            name="PaidInvoice",
            fields=[],
            options={
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("hosts.invoice",),
        ),
    ]
