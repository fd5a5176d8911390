"""The Celery application. Messages are doorbells: they may be lost, doubled or late, and nothing is lost with them."""

import os

from celery import Celery

from delivery.supervision.beat import BeatThread
from delivery.supervision.watch import Watch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("signalbox")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(BeatThread)
app.steps["worker"].add(Watch)
