"""Tells long-running tasks of this worker process that it is asked to stop.

Celery's warm shutdown waits for running tasks, and a shift runs for half a minute. So a shift looks here (or waits
here instead of sleeping) and leaves, with its leases given back, as soon as the worker got SIGTERM or SIGINT.
"""

from __future__ import annotations

import threading
from typing import Any

from celery.signals import worker_shutting_down

asked_to_stop = threading.Event()
"""Set from the moment the worker was asked to stop."""


@worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
def _on_shutdown(**details: Any) -> None:
    asked_to_stop.set()
