"""The web server: uvicorn with uvloop and httptools, the same for `serve` and `runserver`."""

from __future__ import annotations

import uvicorn
from django.conf import settings

from delivery.supervision.address import BACKLOG

GRACEFUL_SECONDS = 3


def web_server() -> uvicorn.Server:
    """A server of settings.ASGI_APPLICATION, not yet running; `run(sockets=[…])` serves until it is told to stop.

    On a stop, requests under way have 3 s to finish. Messages go where Django's LOGGING says.
    """
    module, _, name = settings.ASGI_APPLICATION.rpartition(".")
    return uvicorn.Server(
        uvicorn.Config(
            f"{module}:{name}",
            loop="uvloop",
            http="httptools",
            ws_max_size=64 * 1024,
            # The live feed deflates what it sends once for all who watch; uvicorn would for every socket.
            ws_per_message_deflate=False,
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
        )
    )
