"""`manage.py serve`: one web process, uvicorn with uvloop and httptools."""

from __future__ import annotations

import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from delivery.supervision import lifeline
from delivery.supervision.address import CannotListen, listen
from delivery.supervision.web import web_server


class Command(BaseCommand):
    """Serves ingest, the console and its WebSocket until SIGTERM; requests under way are finished (at most 3 s)."""

    help = "Runs one web process (uvicorn) on SIGNALBOX_HOST and SIGNALBOX_PORT until it is stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host", default=settings.HOST, help="address to listen on (default: %(default)s)"
        )
        parser.add_argument("--port", type=int, default=settings.PORT, help="port (default: %(default)s)")
        parser.add_argument(
            "--fd", type=int, help="descriptor of a socket that listens already, instead of both"
        )

    def handle(self, *args: Any, host: str, port: int, fd: int | None, **options: Any) -> None:
        lifeline.watch()
        try:
            sock = listen(host, port) if fd is None else socket.socket(fileno=fd)
        except CannotListen as error:
            raise CommandError(str(error)) from error
        # uvicorn raises the signal that stopped it once more when it is done: that must not end us with a traceback.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stopped)
        web_server().run(sockets=[sock])


def _stopped(number: int, frame: object) -> None:
    """Before uvicorn listens to signals (start-up) and after it has stopped, a signal simply ends the process."""
    raise SystemExit(0)
