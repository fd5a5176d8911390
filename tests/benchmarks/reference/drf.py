"""Ingest as a DRF view over the ORM would do it: parse, serializer, one durable commit. A WSGI application."""

from __future__ import annotations

import os
import time
from typing import Any

import django
from django.conf import settings

from config.environment import database

settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": database(None)},  # type: ignore[arg-type]
    INSTALLED_APPS=["rest_framework"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
    },
    USE_TZ=True,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import IntegrityError, connection, models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import parsers, serializers  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Event(models.Model):
    ce_id = models.TextField()
    source = models.TextField()
    type = models.TextField()
    subject = models.TextField(null=True)
    time = models.TextField(null=True)
    received_at = models.BigIntegerField()
    data = models.JSONField()

    class Meta:
        app_label = "benchmark"
        unique_together = (("source", "ce_id"),)


class EventSerializer(serializers.Serializer):
    specversion = serializers.ChoiceField(choices=["1.0"])
    id = serializers.CharField()
    source = serializers.CharField()
    type = serializers.CharField()
    subject = serializers.CharField(required=False)
    time = serializers.CharField(required=False)
    datacontenttype = serializers.CharField(required=False)
    data = serializers.JSONField()


class CloudEventsParser(parsers.JSONParser):
    media_type = "application/cloudevents+json"


class Publish(APIView):
    parser_classes = [CloudEventsParser]

    def post(self, request: Any) -> Response:
        serializer = EventSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        try:
            with transaction.atomic():
                event = Event.objects.create(
                    ce_id=values["id"],
                    source=values["source"],
                    type=values["type"],
                    subject=values.get("subject"),
                    time=values.get("time"),
                    received_at=time.time_ns() // 1000,
                    data=values["data"],
                )
        except IntegrityError:
            event = Event.objects.get(source=values["source"], ce_id=values["id"])
        return Response({"accepted": [{"id": event.ce_id, "seq": event.pk}]}, status=202)


urlpatterns = [path("events", Publish.as_view())]

if os.environ.get("BENCHMARK_CREATE"):
    with connection.schema_editor() as editor:
        editor.create_model(Event)

application = get_wsgi_application()
