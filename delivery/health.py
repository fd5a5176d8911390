"""`/livez`: the process answers. `/readyz`: the database answers and its migrations are applied."""

from __future__ import annotations

import asyncio

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from delivery.ingest.wire import Receive, Scope, Send, answer

PATHS = ("/livez", "/readyz")


async def health(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application of both checks; tells nothing but ready or not."""
    if scope["path"] == "/livez":
        await answer(send, 200, b'{"status":"ok"}')
        return
    ready = await asyncio.get_running_loop().run_in_executor(None, _ready)
    await answer(send, 200 if ready else 503, b'{"status":"ok"}' if ready else b'{"status":"not ready"}')


def _ready() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Exception:
        return False
    finally:
        connection.close()
