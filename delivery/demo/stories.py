"""What happens in the town: orders that are paid, packed and delivered, signals that change, people who join.

Pure: time and randomness are given. A story is an iterator of happenings and of the seconds that pass between them;
a day of the shop takes minutes here, but nothing is dated back.
"""

from __future__ import annotations

import heapq
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

Story = Iterator["Happening | float"]

# Of a hundred new stories so many are of this kind. What goes on in older stories comes first.
WEIGHTS = {"signal": 60, "congestion": 15, "order": 20, "joined": 1, "moved": 1, "closed": 1, "till": 2}
# A type that nobody has registered: the catalog discovers it from its events.
UNREGISTERED = "till.opened"
# The loop detector that is out of order at times, and how often. Its type only warns.
BROKEN, BROKEN_SHARE = "ring-south", 0.4
STORE_SHARE = 0.08
STORES = ("store-0007", "store-0042", "store-0113")
COUNTRIES = {"SE": "SEK", "NO": "NOK", "FI": "EUR", "DK": "EUR"}
GIVEN = ("Mara", "Lin", "Jonas", "Aino", "Noor", "Elias", "Tove", "Samir", "Ines", "Oskar", "Yuki", "Alva")
FAMILY = (
    "Sundqvist",
    "Aberg",
    "Wirtanen",
    "Haugen",
    "Okafor",
    "Lindgren",
    "Tanaka",
    "Moreau",
    "Dahl",
    "Rossi",
)
DEPARTMENTS = ("Checkout", "Billing", "Fulfilment", "City data", "People")
SEGMENTS = (
    "a4-kungsgatan",
    "a4-hamngatan",
    "ring-north",
    "ring-south",
    "harbour-bridge",
    "e20-exit-7",
    "old-town",
)
CARRIERS = {"Nordpost": "NP", "Budet": "BD", "Cykelbud": "CB"}
NEXT_COLOUR = {"green": "amber", "amber": "red", "red": "green"}
EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class Happening:
    """One event without its id and time: CloudEvents attributes and JSON data.

    `key` is the partition key: all events of one order are kept in order, whichever system sends them.
    `version` is the schema version that the event names, None for one that names none.
    """

    source: str
    type: str
    subject: str
    data: dict[str, Any]
    key: str | None = None
    version: int | None = None


class Stories:
    """All stories under way. `next(now)` tells what happens next."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now = EPOCH
        self._ids = count()
        self._number = 0
        self._due: list[tuple[datetime, int, Story]] = []
        self._colours: dict[str, str] = {}
        self._kinds: dict[str, Callable[[], Story]] = {
            "signal": self._signal,
            "congestion": self._congestion,
            "order": self._order,
            "joined": self._joined,
            "moved": self._moved,
            "closed": self._closed,
            "till": self._till,
        }

    def next(self, now: datetime) -> Happening:
        """The continuation of a story whose time has come, else the beginning of a new one."""
        self.now = max(now, self.now)
        while True:
            if not self._due or self._due[0][0] > self.now:
                [kind] = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
                self._wait(0, self._kinds[kind]())
            _, _, story = heapq.heappop(self._due)
            step = next(story, None)
            if isinstance(step, Happening):
                self._wait(0, story)
                return step
            if step is not None:
                self._wait(step, story)

    def _wait(self, seconds: float, story: Story) -> None:
        heapq.heappush(self._due, (self.now + timedelta(seconds=seconds), next(self._ids), story))

    def _new_number(self) -> int:
        """Grows from run to run, too: the seconds of this year, or one more than the last."""
        self._number = max(self._number + 1, int((self.now - EPOCH).total_seconds()))
        return self._number

    # ── the shop ──

    def _order(self) -> Story:
        chance = self.chance
        number = self._new_number()
        channel = "store" if chance.random() < STORE_SHARE else chance.choice(("app", "web"))
        order = f"order-{number}" + (f"-{chance.choice(STORES)}" if channel == "store" else "")
        customer = self._customer()
        currency = COUNTRIES[customer["country"]]
        lines = self._lines()

        def happening(source: str, kind: str, version: int | None = None, **data: Any) -> Happening:
            return Happening(source, kind, order, {"order_id": order, **data}, key=order, version=version)

        def total() -> dict[str, Any]:
            return {
                "amount": round(sum(line["price"] * line["quantity"] for line in lines), 2),
                "currency": currency,
            }

        yield happening(
            "/shop/tills" if channel == "store" else "/shop/checkout",
            "order.placed",
            # The software of the tills is older than version 2, which has taken its place.
            version=1 if channel == "store" else None,
            customer=customer,
            total=total(),
            lines=list(lines),
            channel=channel,
            gift=chance.random() < 0.1,
        )
        yield chance.uniform(1, 4)
        if chance.random() < 0.08:
            reason = chance.choice(
                ("insufficient funds", "card expired", "suspected fraud", "bank not reachable")
            )
            again = reason in ("insufficient funds", "bank not reachable")
            yield happening(
                "/payments/gateway",
                "payment.refused",
                payment_id=self._hex("pay_"),
                total=total(),
                reason=reason,
                try_again=again,
            )
            yield chance.uniform(4, 10)
            if not again:
                yield self._cancelled(
                    happening, "fraud check" if reason == "suspected fraud" else "shop", "Not paid"
                )
                return
        kind = chance.choice(("card", "card", "swish", "invoice"))
        method = {"kind": kind} | ({"last4": f"{chance.randrange(10_000):04d}"} if kind == "card" else {})
        yield happening(
            "/payments/gateway",
            "payment.captured",
            payment_id=self._hex("pay_"),
            total=total(),
            method=method,
        )
        yield chance.uniform(4, 15)
        fate = chance.random()
        if fate < 0.05:
            yield self._cancelled(happening, "customer", "Ordered twice by mistake")
            yield chance.uniform(2, 8)
            yield self._refund(happening, total(), None)
            return
        if fate < 0.15:
            lines = [*lines, *self._lines()[:1]]
            yield happening(
                "/shop/checkout", "order.amended", changed=["lines"], total=total(), lines=list(lines)
            )
            yield chance.uniform(2, 8)
        yield from self._parcel(happening, f"parcel-{number}-1")
        if chance.random() < 0.06:
            yield chance.uniform(20, 60)
            line = chance.choice(lines)
            part = {"amount": round(line["price"] * line["quantity"], 2), "currency": currency}
            yield self._refund(happening, part, [line["sku"]])

    def _parcel(self, happening: Callable[..., Happening], parcel: str) -> Story:
        chance = self.chance
        carrier = chance.choice(list(CARRIERS))
        yield happening(
            "/warehouse",
            "parcel.dispatched",
            parcel_id=parcel,
            carrier=carrier,
            tracking=f"{CARRIERS[carrier]}{chance.randrange(10**9):09d}SE",
            weight_grams=chance.randrange(120, 9000),
            promised=self._window(1),
        )
        yield chance.uniform(20, 60)
        if chance.random() < 0.12:
            yield happening(
                "/carriers",
                "parcel.delayed",
                parcel_id=parcel,
                cause=chance.choice(("weather", "traffic", "missed connection", "address unclear")),
                promised=self._window(2),
            )
            yield chance.uniform(20, 60)
        yield happening(
            "/carriers",
            "parcel.delivered",
            parcel_id=parcel,
            handed_to=chance.choice(("customer", "customer", "neighbour", "parcel box")),
            at=moment(self.now),
            place={
                "latitude": round(chance.uniform(59.30, 59.36), 4),
                "longitude": round(chance.uniform(18.0, 18.12), 4),
            },
        )

    def _cancelled(self, happening: Callable[..., Happening], by: str, reason: str) -> Happening:
        return happening("/shop/checkout", "order.cancelled", by=by, reason=reason, restock=True)

    def _refund(
        self, happening: Callable[..., Happening], total: dict[str, Any], skus: list[str] | None
    ) -> Happening:
        part = {} if skus is None else {"skus": skus}
        return happening(
            "/payments/gateway",
            "refund.issued",
            refund_id=self._hex("ref_"),
            total=total,
            full=skus is None,
            **part,
        )

    def _customer(self) -> dict[str, Any]:
        number = self.chance.randrange(400)
        given, family = GIVEN[number % len(GIVEN)], FAMILY[number % len(FAMILY)]
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"customer-{number}")),
            "country": list(COUNTRIES)[min(number // 160, 3)],
            "email": f"{given}.{family}@example.org".lower(),
        }

    def _lines(self) -> list[dict[str, Any]]:
        chance = self.chance
        return [
            {
                "sku": f"{chance.randrange(10_000, 50_000)}",
                "quantity": chance.choice((1, 1, 1, 2, 3)),
                "price": chance.randrange(4, 120) * 10 - 0.1,
            }
            for _ in range(chance.choice((1, 1, 2, 3, 4)))
        ]

    # ── the streets ──

    def _signal(self) -> Story:
        chance = self.chance
        junction = f"junction-{chance.choice((96, 104, 211, 232, 305, 417, 418, 501))}"
        direction = chance.choice(("north", "east"))
        before = self._colours.get(junction + direction, chance.choice(list(NEXT_COLOUR)))
        colour = self._colours[junction + direction] = NEXT_COLOUR[before]
        yield Happening(
            "/city/signals",
            "signal.changed",
            junction,
            {
                "junction": junction,
                "colour": colour,
                "before": before,
                "direction": direction,
                "program": 1 + self.now.hour // 3,
            },
        )

    def _congestion(self) -> Story:
        segment = self.chance.choice(SEGMENTS)
        free = 30 if segment == "old-town" else 70
        speed = round(free * self.chance.uniform(0.2, 1.0), 1)
        data = {
            "segment": segment,
            "speed_kmh": speed,
            "free_flow_kmh": free,
            "vehicles": self.chance.randrange(400),
        }
        if segment == BROKEN and self.chance.random() < BROKEN_SHARE:
            data["vehicles"] = -1
        yield Happening("/city/roads", "congestion.measured", segment, data)

    def _closed(self) -> Story:
        segment = self.chance.choice(SEGMENTS)
        longitude, latitude = (
            round(self.chance.uniform(18.0, 18.1), 4),
            round(self.chance.uniform(59.30, 59.36), 4),
        )
        data = {
            "segment": segment,
            "reason": self.chance.choice(("road works", "accident", "event", "flooding")),
            "until": moment(self.now + timedelta(hours=self.chance.randrange(1, 30))),
            "line": [[longitude, latitude], [round(longitude + 0.006, 4), round(latitude + 0.0004, 4)]],
        }
        yield Happening("/city/roads", "road.closed", segment, data)

    # ── the stores ──

    def _till(self) -> Story:
        store = self.chance.choice(STORES)
        till = f"{store}-till-{self.chance.randrange(1, 5)}"
        data = {
            "till": till,
            "store": store,
            "opened_by": f"employee-{self.chance.randrange(1020, 2100)}",
            "float": {"amount": self.chance.randrange(10, 30) * 100, "currency": "SEK"},
        }
        yield Happening("/shop/tills", UNREGISTERED, till, data)

    # ── the people ──

    def _joined(self) -> Story:
        employee = f"employee-{self._new_number()}"
        data = {
            "employee_id": employee,
            "name": {"given": self.chance.choice(GIVEN), "family": self.chance.choice(FAMILY)},
            "department": self.chance.choice(DEPARTMENTS),
            "starts": self.now.date().isoformat(),
            "manager": f"employee-{self.chance.randrange(1000, 1020)}",
        }
        yield Happening("/people", "employee.joined", employee, data)

    def _moved(self) -> Story:
        employee = f"employee-{self.chance.randrange(1020, 2100)}"
        before, after = self.chance.sample(DEPARTMENTS, 2)
        data = {"employee_id": employee, "from": before, "to": after}
        yield Happening("/people", "employee.moved", employee, data)

    def _hex(self, prefix: str) -> str:
        return f"{prefix}{self.chance.getrandbits(48):012x}"

    def _window(self, days: int) -> dict[str, str]:
        start = self.now.replace(minute=0, second=0, microsecond=0) + timedelta(days=days)
        return {"from": moment(start), "to": moment(start + timedelta(hours=4))}


def moment(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as in 2026-11-23T03:12:03.418Z."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
