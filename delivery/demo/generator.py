"""Posts what happens in the town, at a gentle rate, through the same HTTP ingest that everybody else uses.

A thread of the worker process: it takes no slot of a shift, ends with the process however that ends, and starts with
the next one. Of several workers on a machine one does it.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import logging
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from delivery.demo import trouble, welcome
from delivery.demo.stories import Happening, Stories, moment
from delivery.demo.town import GENERATOR
from delivery.ingest.dataschema import addressed
from delivery.models import Switch

logger = logging.getLogger(__name__)

RATE_LIMIT = 500.0
# Seconds: until the switch is looked at again, until the demo or the lock is looked for again, and between
# attempts while the web process is down (the first wait, doubled to the longest).
SWITCH_EVERY = 1.0
LOOK_EVERY = 3.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0


def start_with_worker() -> None:
    """Makes a Celery worker of this process run the generator while it runs. Calling it again changes nothing."""
    worker_ready.connect(_start, dispatch_uid="demo-generator", weak=False)
    worker_shutting_down.connect(_stop, dispatch_uid="demo-generator", weak=False)


_stopping = threading.Event()


def _start(**kwargs: Any) -> None:
    """Told each time that the worker has a connection to its broker: after the first time there is one."""
    if settings.DEMO and not any(thread.name == "demo-generator" for thread in threading.enumerate()):
        generator = Generator(rate(), _stopping)
        threading.Thread(target=generator.run, name="demo-generator", daemon=True).start()


def _stop(**kwargs: Any) -> None:
    _stopping.set()


def rate() -> float:
    """Events per second: SIGNALBOX_DEMO_RATE, else 2. Raises ImproperlyConfigured."""
    text = os.environ.get("SIGNALBOX_DEMO_RATE") or "2"
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= RATE_LIMIT:
        raise ImproperlyConfigured(
            f"SIGNALBOX_DEMO_RATE is {text!r}; it must be a number of events per second above 0 and at most {RATE_LIMIT:g}."
        )
    return found


class Generator:
    """Posts about `rate` events a second until `stopping` is set, as long as the demo's switch is on."""

    def __init__(self, rate: float, stopping: threading.Event, chance: random.Random | None = None) -> None:
        self._pause = 1 / rate
        self._stopping = stopping
        self._chance = chance or random.Random()
        self._stories = Stories(self._chance)
        self._publisher = Publisher()
        self._looked_at_switch = -SWITCH_EVERY
        self._on = False
        # What an earlier run noted is cleared by the first event that is accepted.
        self._in_trouble = trouble.found() is not None

    def run(self) -> None:
        """Returns when `stopping` is set."""
        with _alone(Path(settings.VAR) / "demo.lock", self._stopping) as alone:
            while alone and not self._stopping.is_set():
                facts = welcome.banner_facts()
                if facts is None:
                    self._stopping.wait(LOOK_EVERY)
                elif not self._switched_on():
                    self._publisher.close()
                    self._stopping.wait(SWITCH_EVERY)
                else:
                    self._publish(facts)
                    self._stopping.wait(self._pause * self._chance.uniform(0.5, 1.5))
        self._publisher.close()
        connection.close()

    def _switched_on(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at_switch >= SWITCH_EVERY:
            self._looked_at_switch = now
            try:
                self._on = Switch.objects.filter(name=GENERATOR, on=True).exists()
            except DatabaseError:
                # As the console shows nothing new either; the next look says how it goes on.
                logger.info("The demo's switch could not be read.", exc_info=True)
                connection.close()
                self._on = False
        return self._on

    def _publish(self, facts: welcome.Facts) -> None:
        """Posts one event, with the same id again until it is answered, as a good publisher does."""
        body = as_json(self._stories.next(datetime.now(UTC)))
        wait = FIRST_WAIT
        while not self._stopping.is_set() and self._switched_on():
            reply = self._publisher.post(facts, body)
            if reply.status is not None and reply.status != 429 and reply.status < 500:
                if reply.status >= 400:
                    self._refused(reply, body)
                elif self._in_trouble:
                    trouble.clear()
                    self._in_trouble = False
                return
            self._stopping.wait(min(max(wait, reply.after), LONGEST_WAIT))
            wait = min(wait * 2, LONGEST_WAIT)

    def _refused(self, reply: Reply, body: bytes) -> None:
        """Tells the log once and the welcome page for as long as it lasts; tries the next event after a pause."""
        if not self._in_trouble:
            logger.warning(
                "The ingest refuses events of the demo with %s: %s %s",
                reply.status, reply.reason, body.decode(),
            )  # fmt: skip
        self._in_trouble = True
        trouble.note(reply.reason)
        self._stopping.wait(LONGEST_WAIT)


class Reply(NamedTuple):
    """An answer's status, None when there was none; the seconds that Retry-After asks for; why it was refused."""

    status: int | None
    after: float = 0.0
    reason: str = ""


class Publisher:
    """Posts events over one kept connection."""

    def __init__(self) -> None:
        self._connection: http.client.HTTPConnection | None = None

    def post(self, facts: welcome.Facts, body: bytes) -> Reply:
        """Sends one event, in CloudEvents JSON format, to the demo's bus."""
        if self._connection is None:
            base = urlsplit(welcome.base_url())
            self._connection = http.client.HTTPConnection(base.hostname or "", base.port, timeout=10)
        headers = {
            "authorization": f"Bearer {facts['token']}",
            "content-type": "application/cloudevents+json",
            "user-agent": "signalbox-demo",
        }
        try:
            self._connection.request("POST", f"/v1/buses/{facts['bus']}/events", body, headers)
            with self._connection.getresponse() as answer:
                said = answer.read()
                after = answer.headers.get("retry-after", "")
                return Reply(
                    answer.status, float(after) if after.isdigit() else 0.0, _reason(answer.status, said)
                )
        except (OSError, http.client.HTTPException):
            self.close()
            return Reply(None)

    def close(self) -> None:
        """Closes the connection; the next post opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _reason(status: int, body: bytes) -> str:
    """The detail of a problem document (RFC 9457); empty for an event that was taken."""
    if status < 400:
        return ""
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {status}"


def as_json(happening: Happening) -> bytes:
    """The event that tells of `happening`, now, in CloudEvents JSON format (§2)."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": happening.source,
        "type": happening.type,
        "subject": happening.subject,
        "time": moment(datetime.now(UTC)),
        "datacontenttype": "application/json",
        "data": happening.data,
    }
    if happening.version is not None:
        event["dataschema"] = f"{welcome.base_url()}{addressed(happening.type, happening.version)}"
    if happening.key is not None:
        event["partitionkey"] = happening.key
    return json.dumps(event, ensure_ascii=False).encode()


@contextmanager
def _alone(path: Path, stopping: threading.Event) -> Iterator[bool]:
    """Waits until no other process of this machine holds the lock; False when `stopping` was set before."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not stopping.is_set():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stopping.wait(LOOK_EVERY)
            else:
                yield True
                return
        yield False
    finally:
        os.close(descriptor)
