"""`manage.py runserver`: Django's development server, with our web server inside.

Django's own speaks WSGI, which has neither the ingest nor the WebSocket.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.commands.runserver import Command as DjangoCommand
from django.db import connections

from delivery.supervision.address import CannotListen, listen, url
from delivery.supervision.web import web_server


class Command(DjangoCommand):
    """As Django's: checks, looks for migrations that are missing, serves, and starts again when a file changes."""

    help = "Runs the web part for development and starts it again when code changes. Deliveries need a worker too."
    default_addr = settings.HOST
    default_port = str(settings.PORT)
    addr: str
    port: str

    def inner_run(self, *args: Any, **options: Any) -> None:
        if not options["skip_checks"]:
            self.check(display_num_errors=True)
        self.check_migrations()
        connections.close_all()
        try:
            sock = listen(self.addr, int(self.port))
        except CannotListen as error:
            self.stderr.write(str(error))
            os._exit(1)  # the reloader runs this in a thread, which sys.exit would end alone
        self.stdout.write(f"Signalbox is running: {url(self.addr, int(self.port))}. Ctrl-C stops it.")
        self.stdout.flush()
        try:
            web_server().run(sockets=[sock])
        except KeyboardInterrupt:
            sys.exit(0)
