"""The wiring: settings, URLs, ASGI, Celery. It imports every room; no room imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
