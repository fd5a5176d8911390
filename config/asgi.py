"""One ASGI application: ingest, request bins, health, the console's WebSocket, and Django for everything else."""

from __future__ import annotations

import os
import warnings
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

django = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from delivery.bins.app import bins
from delivery.consumers import ConsoleConsumer
from delivery.demo.receivers import receivers
from delivery.health import PATHS, health
from delivery.ingest.app import Ingest
from delivery.supervision.settling import settle

# whitenoise sends files with a plain iterator; a static file is one read, so what Django warns of costs nothing.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

ingest = Ingest()
sockets = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter([path("ws/console/", ConsoleConsumer.as_asgi())]))
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Sends a connection to the part that takes its path."""
    kind = scope["type"]
    if kind == "http":
        where: str = scope["path"]
        if Ingest.takes(where):
            await ingest(scope, receive, send)
        elif where.startswith("/bin/"):
            await bins(scope, receive, send)
        elif where.startswith("/demo/receivers/"):
            await receivers(scope, receive, send)
        elif where in PATHS:
            await health(scope, receive, send)
        else:
            await django(scope, receive, send)
    elif kind == "websocket":
        await sockets(scope, receive, send)
    elif kind == "lifespan":
        await _lifespan(receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    """Before the first request the process settles; at shutdown, what publishers wait for is stored before it ends."""
    from delivery.ingest.pipeline import pipeline

    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            settle()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            pipeline().close()
            await send({"type": "lifespan.shutdown.complete"})
            return
