"""Order events as shops send them: optional members, money, identifiers, times, enums, a map, nested arrays."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

STATUSES = ("new", "paid", "packed", "shipped", "returned")


def orders(seed: int, *, nulls: bool = True) -> Iterator[dict[str, Any]]:
    """Endless data of about 1.1 KB as JSON; with `nulls`, some members are null now and then."""
    chance = random.Random(seed)
    while True:
        yield _order(chance, nulls)


def _order(chance: random.Random, nulls: bool) -> dict[str, Any]:
    order: dict[str, Any] = {
        "order_id": _uuid(chance),
        "number": f"SO-{chance.randrange(10**6):06d}",
        "placed_at": _time(chance),
        "status": chance.choice(STATUSES),
        "customer": {
            "id": _uuid(chance),
            "email": f"customer{chance.randrange(10**5)}@example.com",
            "country": chance.choice(("SE", "NO", "DK", "FI")),
            "birthday": f"19{chance.randrange(50, 99)}-0{chance.randrange(1, 10)}-1{chance.randrange(10)}",
        },
        "total": _money(chance),
        "lines": [_line(chance) for _ in range(chance.randrange(1, 6))],
        "payment": _payment(chance),
        "metadata": {f"key-{chance.randrange(400)}": _word(chance) for _ in range(chance.randrange(5))},
        "landing_page": f"https://shop.example/{_word(chance)}?ref={chance.randrange(100)}",
        "gift": chance.random() < 0.1,
        "note": " ".join(_word(chance) for _ in range(chance.randrange(16, 32))),
    }
    if chance.random() < 0.02:
        order["coupon"] = f"SUMMER{chance.randrange(1000)}"
    if chance.random() < 0.4:
        order["delivery"] = {"day": f"2026-1{chance.randrange(3)}-2{chance.randrange(9)}", "window": "PT2H"}
    if nulls:
        order["shipped_at"] = _time(chance) if chance.random() < 0.5 else None
    return order


def _line(chance: random.Random) -> dict[str, Any]:
    line = {
        "sku": f"{chance.randrange(10_000, 99_999)}",
        "quantity": chance.randrange(1, 5),
        "price": _money(chance),
        "tags": [_word(chance) for _ in range(chance.randrange(3))],
    }
    if chance.random() < 0.3:
        line["serials"] = [[_word(chance)], []]
    return line


def _payment(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(("card", "invoice", "cash"))
    own: dict[str, dict[str, Any]] = {
        "card": {"last4": f"{chance.randrange(10**4):04d}", "network": chance.choice(("visa", "amex"))},
        "invoice": {"due": "2026-12-24"},
        "cash": {},
    }
    return {"type": kind, "at": _time(chance), **own[kind]}


def _money(chance: random.Random) -> dict[str, Any]:
    cents = chance.randrange(100, 200_000)
    # Whole amounts are often written without a fraction.
    return {
        "amount": cents // 100 if cents % 7 == 0 else cents / 100,
        "currency": chance.choice(("SEK", "EUR")),
    }


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _time(chance: random.Random) -> str:
    return f"2026-0{chance.randrange(1, 10)}-1{chance.randrange(10)}T1{chance.randrange(10)}:30:0{chance.randrange(10)}Z"


def _word(chance: random.Random) -> str:
    return "".join(chance.choice("aeiklmnoprst") for _ in range(chance.randrange(3, 9)))
