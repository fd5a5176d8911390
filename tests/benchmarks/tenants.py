"""Rules and events like those of a bus with many tenants.

"selective": types and sources grow with the rules, as tenants do, so an event is for one to three rules; "hot": 500
types whatever the number of rules, so the number of rules that an event meets grows too.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

AREAS = ["orders", "payments", "shipping", "stock", "users", "billing", "catalog", "search", "fraud", "media"]
VERBS = ["created", "updated", "deleted", "approved", "failed", "completed", "expired", "archived"]
REGIONS = ["eu-north-1", "eu-west-1", "us-east-1", "us-west-2", "cn-hangzhou", "ap-south-1", "sa-east-1"]
STATES = ["new", "pending", "paid", "shipped", "delivered", "returned", "cancelled", "failed", "held"]
CURRENCIES = ["SEK", "NOK", "EUR", "USD", "CNY", "GBP", "JPY", "INR"]
COUNTRIES = ["SE", "NO", "DE", "FR", "GB", "US", "CN", "JP", "IN", "BR", "ES", "IT", "MX", "CA", "AU", "NL"]
TIERS = ["free", "basic", "silver", "gold", "platinum"]
CARRIERS = ["dhl", "ups", "fedex", "postnord", "sf-express", "usps", "gls", "dpd"]
TAGS = ["fresh", "sale", "fragile", "bulky", "gift", "eco"]
ENDINGS = ["", ".json", ".pdf", ".png"]
NETWORKS = [10, 172, 192, 203]

Pattern = dict[str, Any]


class Tenants:
    """Rules and events of a bus; the same seed gives the same ones."""

    def __init__(self, rules: int, hot: bool, seed: int) -> None:
        self._random = random.Random(seed)
        names = random.Random(99)
        self._types = [
            f"com.example.{names.choice(AREAS)}.{names.choice(AREAS)[:-1]}{number}.{names.choice(VERBS)}"
            for number in range(500 if hot else max(500, rules // 4))
        ]
        self._sources = [
            f"/tenants/t{number}/{AREAS[number % len(AREAS)]}/{names.choice(REGIONS)}"
            for number in range(200 if hot else max(200, rules // 20))
        ]

    def event(self) -> bytes:
        """About 850 bytes, in CloudEvents JSON format; a few types and sources send most of them."""
        draw = self._random
        kind = self._types[int(len(self._types) * draw.random() ** 2)]
        source = self._sources[int(len(self._sources) * draw.random() ** 2)]
        items = [
            {
                "sku": f"SKU-{draw.randrange(5000):05d}",
                "quantity": draw.randrange(1, 9),
                "price": round(draw.random() * 300, 2),
                "tags": draw.sample(TAGS, 2),
            }
            for _ in range(draw.choice([1, 1, 2, 2]))
        ]
        data = {
            "order": {
                "id": f"o-{draw.randrange(10**9)}",
                "amount": round(draw.random() * 10_000, 2),
                "currency": draw.choice(CURRENCIES),
                "status": draw.choice(STATES),
                "items": items,
            },
            "customer": {
                "id": f"c-{draw.randrange(100_000)}",
                "tier": draw.choice(TIERS),
                "country": draw.choice(COUNTRIES),
                "email": f"user{draw.randrange(10**5)}@example.org",
                "ip": f"{draw.choice(NETWORKS)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}",
            },
            "shipping": {
                "carrier": draw.choice(CARRIERS),
                "weight": draw.randrange(1, 50_000),
                "express": False,
            }
            if draw.random() < 0.8
            else None,
            "flags": {"test": draw.random() < 0.05, "retry": draw.randrange(5)},
        }
        if draw.random() < 0.3:
            data["coupon"] = f"CPN{draw.randrange(2000)}"
        event = {
            "specversion": "1.0",
            "id": f"{draw.getrandbits(128):032x}",
            "source": source,
            "type": kind,
            "subject": f"{kind.split('.')[2]}/{draw.randrange(10**6)}{draw.choice(ENDINGS)}",
            "time": f"2026-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}T08:{draw.randrange(60):02d}:00Z",
            "datacontenttype": "application/json",
            "dataschema": f"https://schemas.example.com/{kind}/v1.json",
            "region": draw.choice(REGIONS),
            "traceparent": f"00-{draw.getrandbits(128):032x}-{draw.getrandbits(64):016x}-01",
            "partitionkey": f"c{draw.randrange(100_000)}",
            "data": data,
        }
        return json.dumps(event, separators=(",", ":")).encode()

    def rule(self) -> Pattern:
        """One pattern: 57 in 100 exact, 13 numeric, 10 prefix, 4 suffix, 8 anything-but, 4 cidr, 2 exists, …"""
        draw = self._random
        share = draw.random()
        for limit, make in _MIX:
            if share < limit:
                return make(draw, lambda: draw.choice(self._types), lambda: draw.choice(self._sources))
        raise AssertionError("the shares of the mix end at 1")


Draw = random.Random
Pick = Callable[[], str]


def _data(**fields: Any) -> Pattern:
    return {"data": fields}


def _states(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    return {"type": [kind()], **_data(order={"status": draw.sample(STATES, draw.choice([1, 2]))})}


def _large(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    amount = [{"numeric": [">", draw.randrange(5000, 9900)]}]
    return {"type": [kind()], **_data(order={"amount": amount}, customer={"tier": [draw.choice(TIERS)]})}


def _narrow(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    low = round(draw.random() * 9990, 2)
    amount = [{"numeric": [">=", low, "<", round(low + 0.5 + draw.random() * 4.5, 2)]}]
    return _data(order={"amount": amount, "currency": [draw.choice(CURRENCIES)]})


def _prefixed(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    name = kind()
    prefix = name[: max(14, len(name) - draw.choice([0, 3, 6, 9]))]
    return {"type": [{"prefix": prefix}], "region": [draw.choice(REGIONS)]}


def _other_states(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    order = {"status": [{"anything-but": draw.sample(STATES, 2)}]}
    return {
        "type": [kind()],
        **_data(order=order, customer={"country": [{"anything-but": draw.choice(COUNTRIES)}]}),
    }


def _real(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    order = {"currency": [{"anything-but": [draw.choice(CURRENCIES)]}]}
    return {"source": [source()], **_data(flags={"test": [False]}, order=order)}


def _network(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    block = f"{draw.choice(NETWORKS)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}"
    return _data(customer={"ip": [{"cidr": f"{block}/{draw.choice([24, 24, 26, 28, 30])}"}]})


def _coupon(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    coupon = [{"exists": draw.random() < 0.5}]
    return {"type": [kind()], **_data(coupon=coupon, shipping={"carrier": [draw.choice(CARRIERS)]})}


def _wildcard(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    wildcard = f"com.example.*.{kind().split('.')[3]}.*"
    return {"type": [{"wildcard": wildcard}], **_data(customer={"tier": draw.sample(TIERS, 2)})}


def _either(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    items = {"sku": [f"SKU-{draw.randrange(5000):05d}"], "quantity": [{"numeric": [">=", 2]}]}
    best = {"source": [source()], **_data(customer={"tier": ["platinum"]})}
    return {"$or": [{"type": [kind()]}, best], **_data(order={"items": items})}


# (cumulated share, how such a pattern is made)
_MIX: list[tuple[float, Callable[[Draw, Pick, Pick], Pattern]]] = [
    (0.30, lambda draw, kind, source: {"type": [kind() for _ in range(draw.choice([1, 1, 1, 2, 3]))]}),
    (
        0.45,
        lambda draw, kind, source: {"source": [source()], "type": [kind(), kind()][: draw.choice([1, 2])]},
    ),
    (0.57, _states),
    (0.65, _large),
    (0.70, _narrow),
    (0.77, _prefixed),
    (
        0.80,
        lambda draw, kind, source: {
            "source": [{"prefix": source()}],
            **_data(customer={"country": [draw.choice(COUNTRIES)]}),
        },
    ),
    (
        0.84,
        lambda draw, kind, source: {
            "subject": [{"suffix": f"{draw.randrange(100_000):05d}{draw.choice(ENDINGS)}"}]
        },
    ),
    (0.89, _other_states),
    (0.92, _real),
    (0.96, _network),
    (0.98, _coupon),
    (0.99, _wildcard),
    (
        0.995,
        lambda draw, kind, source: _data(
            customer={"id": [{"equals-ignore-case": f"C-{draw.randrange(100_000)}"}]}
        ),
    ),
    (1.0, _either),
]
