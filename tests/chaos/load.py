"""The publishing side: threads that post to the real ingest and keep trying until they are answered 202.

Each thread has keys and a source of its own and publishes the events of a key in order, so that the order of ids
`<key>-<n>` is the order in which every target must see them.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

THREADS = 4
KEYS = 50  # of each thread
LARGEST_BATCH = 20
MEAN_REQUEST = (1 + (1 + LARGEST_BATCH) / 2) / 2  # events
# Of the requests already acknowledged, this share is sent once more: it must be answered with what was stored.
AGAIN = 0.02
POISON = "poison"
"""The text of an event that must not be sent to the fickle target; its key begins so."""
TYPE = "chaos.step.taken"
BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


@dataclass(frozen=True)
class Event:
    """One published event: the `number`-th, from 0, of its `key`."""

    id: str
    source: str
    key: str
    number: int

    @property
    def data(self) -> dict[str, Any]:
        """Its data, which says again who it is, so that a mix-up shows."""
        text = POISON if self.key.startswith(POISON) else f"Step {self.number} · {self.key}"
        return {"key": self.key, "number": self.number, "text": text}

    def attributes(self) -> dict[str, str]:
        """Its context attributes."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": TYPE,
            "subject": self.key,
            "datacontenttype": "application/json",
        }


class Refused(Exception):
    """The ingest answered something that no publisher would try again."""


class Load:
    """Publishes about `rate` events a second to `port` from `start` until `stop`.

    `acknowledged`: seq by id of every event answered 202. `published`: every event that was sent, by id.
    `problems`: sentences on answers that break a promise, such as another seq for a repeat.
    """

    def __init__(self, port: int, bus: str, token: str, rate: float, seed: int) -> None:
        self.published: dict[str, Event] = {}
        self.acknowledged: dict[str, int] = {}
        self.problems: list[str] = []
        self.retries = 0
        self.refused: Counter[int] = Counter()  # answers that said to come again, by status
        self.repeats = 0
        self._port = port
        self._path = f"/v1/buses/{bus}/events"
        self._credentials = {"authorization": f"Bearer {token}"}
        self._pause = THREADS * MEAN_REQUEST / rate
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number, random.Random(f"{seed}-{number}")), daemon=True)
            for number in range(THREADS)
        ]

    def start(self) -> None:
        """Begins to publish."""
        for thread in self._threads:
            thread.start()

    def publish(self, event: Event) -> None:
        """Publishes one event beside the others; returns when it is acknowledged."""
        self.published[event.id] = event
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            self._publish(connection, [event], *_request([event], random.Random(0)))
        finally:
            connection.close()

    def stop(self, within: float) -> None:
        """Returns when every request begun was acknowledged. Fails when that took more than `within` seconds."""
        self._stopping.set()
        deadline = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        assert not any(thread.is_alive() for thread in self._threads), "some requests were never acknowledged"

    def _run(self, number: int, dice: random.Random) -> None:
        source = f"/chaos/publisher/{number}"
        numbers: dict[str, Iterator[int]] = {f"p{number}-k{key}": count() for key in range(KEYS)}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            while not self._stopping.is_set():
                events = list(self._next(source, numbers, dice))
                headers, body = _request(events, dice)
                self._publish(connection, events, headers, body)
                if dice.random() < AGAIN:
                    self.repeats += len(events)
                    self._publish(connection, events, headers, body)
                self._stopping.wait(dice.uniform(0.5, 1.5) * self._pause)
        except Refused as error:
            self.problems.append(str(error))
        finally:
            connection.close()

    def _next(self, source: str, numbers: dict[str, Iterator[int]], dice: random.Random) -> Iterator[Event]:
        # Every second request is a single event; a batch may hold several of one key, in their order.
        for _ in range(dice.choice([1, dice.randint(1, LARGEST_BATCH)])):
            key = dice.choice(list(numbers))
            at = next(numbers[key])
            event = Event(f"{key}-{at}", source, key, at)
            self.published[event.id] = event
            yield event

    def _publish(
        self,
        connection: http.client.HTTPConnection,
        events: list[Event],
        headers: dict[str, str],
        body: bytes,
    ) -> None:
        while True:
            try:
                connection.request("POST", self._path, body, headers | self._credentials)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self.retries += 1
                time.sleep(0.05)
                continue
            if answer.status == 202:
                self._note(events, json.loads(text)["accepted"])
                return
            if answer.status not in (429, 503):
                raise Refused(
                    f"{events[0].id} was answered {answer.status}: {text[:300].decode(errors='replace')}"
                )
            self.retries += 1
            self.refused[answer.status] += 1
            time.sleep(0.2)

    def _note(self, events: list[Event], accepted: list[dict[str, Any]]) -> None:
        if [event.id for event in events] != [one["id"] for one in accepted]:
            self.problems.append(f"the answer to {events[0].id} names other events")
        for one in accepted:
            if one.get("duplicate") == "differs":
                self.problems.append(f"{one['id']} was called different from itself")
            before = self.acknowledged.setdefault(one["id"], one["seq"])
            if before != one["seq"]:
                self.problems.append(f"{one['id']} was acknowledged as {before} and then as {one['seq']}")


def _request(events: list[Event], dice: random.Random) -> tuple[dict[str, str], bytes]:
    """Headers and body: a batch, or one event in structured or binary mode."""
    if len(events) > 1:
        return {"content-type": BATCH}, json.dumps(
            [e.attributes() | {"data": e.data} for e in events]
        ).encode()
    event = events[0]
    if dice.random() < 0.5:
        return {"content-type": STRUCTURED}, json.dumps(event.attributes() | {"data": event.data}).encode()
    headers = {f"ce-{name}": value for name, value in event.attributes().items() if name != "datacontenttype"}
    return headers | {"content-type": "application/json"}, json.dumps(event.data).encode()
