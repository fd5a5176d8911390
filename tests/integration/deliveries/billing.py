"""What tests of the pages of deliveries share: events for Billing, and that it refuses them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from delivery.tracking.words import Outcome, State
from tests.integration import rows as write

REASON = "It answers 422: invoice_ref is longer than 20 characters."


def order(town: SimpleNamespace, currency: str = "SEK", **attributes: Any) -> int:
    targets = (town.billing.pk,) if currency == "SEK" else ()
    return write.store(town.bus, targets, data={"currency": currency, "ref": "order-88190"}, **attributes)


def refuse(town: SimpleNamespace, **attributes: Any) -> int:
    seq = order(town, **attributes)
    write.attempt(
        town.billing.pk, seq, Outcome.REJECTED, status=422, reason=REASON, response='{"error": "too long"}'
    )
    write.hold(town.billing.pk, seq, State.DEAD, reason=REASON)
    write.pass_cursor(town.billing.pk, seq)
    return seq


def text(answer: Any) -> str:
    return str(answer.content.decode())
