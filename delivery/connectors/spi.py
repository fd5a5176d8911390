"""What a connector implements and what it answers: the contract between the runner and a target's code.

A connector is a subclass of `Target`, named in the entry point group "signalbox.connectors". The runner
makes it with a config, opens it, sends deliveries one by one or many at once up to `max_in_flight`, and closes it.
A target that takes batches says how many events it takes at once (`max_batch`) and implements `send_batch`.
Retries, back-off, order, attempts and metrics are the runner's: a connector tries once and says what happened.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from delivery.connectors import config as settings
from delivery.connectors.config import Config, InvalidConfig, Secret, setting
from delivery.connectors.remembered import Permissions, Tokens, TokensInMemory
from delivery.http import Client, Timings

__all__ = [
    "EXCERPT_BYTES", "Checked", "Config", "Delivered", "Delivery", "Gone", "InvalidConfig", "Misconfigured", "Outcome", "Reject", "Retry",
    "Secret", "Services", "Step", "Target", "setting",
]  # fmt: skip

EXCERPT_BYTES = 4096
"""How much of a response is kept with an attempt."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event on its way to one target."""

    event: bytes
    """The stored event: one JSON object in the CloudEvents JSON format, UTF-8."""
    attributes: Mapping[str, str | int | bool]
    """Its context attributes, specversion and extensions included."""
    delivery_id: str
    """"msg_" and a unique part; the same for every attempt and after a crash, so that receivers can drop repeats."""
    attempt: int
    """1 for the first attempt."""
    replay: bool = False
    redriven: bool = False
    """Whether it is sent again after it was a dead letter: it may come after later events of its key."""
    whole: bool = False
    """True: send the event as it is. False: send `body`, the result of the target's transform."""
    body: bytes = b""
    content_type: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one attempt; always one of the five classes below."""

    excerpt: bytes = b""
    """The first EXCERPT_BYTES of what came back. Never rendered, only shown as `excerpt_text`."""
    timings: Timings | None = None
    address: str | None = None
    """The IP address that was talked to."""

    @property
    def excerpt_text(self) -> str:
        """The excerpt as text: bytes that are not UTF-8 and control characters are shown as U+FFFD."""
        return printable(self.excerpt)


class Delivered(Outcome, frozen=True):
    """The target took the event."""

    status: int | None = None
    detail: str = ""


class Retry(Outcome, frozen=True):
    """Not now: try again by the target's policy, `after` seconds at the earliest when the target asked for that."""

    reason: str
    status: int | None = None
    after: float | None = None


class Reject(Outcome, frozen=True):
    """The target will never take this event: it becomes a dead letter, the events after it go on."""

    reason: str
    status: int | None = None


class Misconfigured(Outcome, frozen=True):
    """No event can be delivered until somebody changes the target: it stops, nothing is discarded."""

    reason: str
    status: int | None = None


class Gone(Outcome, frozen=True):
    """The target asked to be left alone for good: it is disabled."""

    reason: str
    status: int | None = None


class Services(msgspec.Struct, frozen=True):
    """What the runner lends to the targets of one event loop."""

    http: Client
    target: int | None = None
    """Which target it is; None for one that is not saved."""
    permissions: Permissions | None = None
    tokens: Tokens = msgspec.field(default_factory=TokensInMemory)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried to see whether a target can be reached. `took`: seconds."""

    name: str
    ok: bool
    detail: str = ""
    took: float | None = None


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """How trying a target went, without an event: the steps, up to the first that failed."""

    steps: list[Step]
    status: int | None = None
    excerpt: bytes = b""
    address: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(step.ok for step in self.steps)

    @property
    def excerpt_text(self) -> str:
        """As in Outcome."""
        return printable(self.excerpt)


class Target(ABC):
    """One configured target. A connector subclasses this and sets the class attributes."""

    name: ClassVar[str]
    """How it is registered and stored, e.g. "http"."""
    label: ClassVar[str]
    """How people call it."""
    icon: ClassVar[str]
    """Name of a lucide icon."""
    max_in_flight: ClassVar[int] = 8
    """How many deliveries may be in `send`, or batches in `send_batch`, at the same time."""
    max_batch: ClassVar[int] = 1
    """How many events one call of `send_batch` takes; 1: it takes no batches, and `send` is called for each event.
    An instance may set its own where its config decides."""
    ordered_batch: ClassVar[bool] = False
    """Whether a batch is taken in its order, and of one key nothing is taken after an event that failed. Then several
    events of a key travel in one batch; else a batch holds one event of each key at most."""
    addressed_by_event: bool = False
    """Whether the address is made from the event, as with a path template: then 404 and 410 say nothing of the others,
    and reject that event alone. An instance sets it where its config decides."""
    Config: ClassVar[type[settings.Config]]

    @abstractmethod
    def __init__(self, config: Any, services: Services) -> None:
        """`config` is an instance of `Config`. Does no I/O."""

    @classmethod
    @abstractmethod
    def describe(cls, config: Any) -> str:
        """One line that says where it goes, without secrets: "POST https://shop.example/hook"."""

    @abstractmethod
    async def open(self) -> None:
        """Gets ready to send. Raises when it cannot: InvalidConfig stops the target, anything else is tried again."""

    @abstractmethod
    async def send(self, delivery: Delivery) -> Outcome:
        """Tries once. An exception counts as Retry with its text."""

    async def send_batch(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Tries to send up to `max_batch` deliveries at once; one outcome for each, in their order.

        Called instead of `send`, for one delivery too, where `max_batch` is above 1. An exception counts as Retry for all.
        """
        raise NotImplementedError(f"{type(self).__name__} takes no batches.")

    async def check(self) -> Checked | None:
        """Tries whether it could send, and sends no event; None when this connector cannot tell. After `open`."""
        return None

    @abstractmethod
    async def close(self) -> None:
        """Lets go of connections. May be called twice, also without `open`."""


def printable(data: bytes) -> str:
    """`data` as text for people: U+FFFD for what is not UTF-8 and for control characters except tab and line feed."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c in "\t\n" else "\ufffd" for c in text)
