"""Delivery as a Celery task per delivery does it: ORM read, http.client POST on a kept connection, ORM insert.

Runs with Signalbox's own settings and database, on tables of its own made from ours.
"""

from __future__ import annotations

import http.client
import os
import threading
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from celery import Celery  # noqa: E402
from django.db import models  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402

app = Celery("reference", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(
    task_ignore_result=True, worker_prefetch_multiplier=64, broker_connection_retry_on_startup=True
)
_local = threading.local()


class Event(models.Model):
    seq = models.BigIntegerField(primary_key=True)
    raw = models.BinaryField()

    class Meta:
        app_label = "reference"
        managed = False
        db_table = "log_event"


class Attempt(models.Model):
    target = models.BigIntegerField()
    seq = models.BigIntegerField()
    number = models.BigIntegerField()
    at = models.BigIntegerField()
    took = models.BigIntegerField()
    outcome = models.BigIntegerField()
    status = models.BigIntegerField(null=True)
    revision = models.BigIntegerField()

    class Meta:
        app_label = "reference"
        managed = False
        db_table = "attempt"


def _kill_safe(connection: Any, **kwargs: Any) -> None:
    """As our shifts commit: no fsync each time."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")


connection_created.connect(_kill_safe, weak=False)


@app.task(name="reference.deliver")
def deliver(target: int, seq: int, port: int) -> None:
    """One delivery."""
    event = Event.objects.get(pk=seq)
    if not hasattr(_local, "connection"):
        _local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    at = time.time_ns() // 1000
    _local.connection.request(
        "POST", "/hook", bytes(event.raw), {"content-type": "application/cloudevents+json"}
    )
    answer = _local.connection.getresponse()
    answer.read()
    took = time.time_ns() // 1000 - at
    Attempt.objects.create(
        target=target, seq=seq, number=1, at=at, took=took, outcome=1, status=answer.status, revision=1
    )
