"""What an operator is told: an event by its subject, what one waits behind, whether a target answered at all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import Client

from delivery.tracking.words import Outcome, State
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse, text

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_is_found_by_its_subject(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town, subject="order-88190")
    assert someone.get("/find/?q=order-88190")["Location"] == f"/journey/{seq}/"
    order(town, subject="order-88190", source="/elsewhere")
    keyed = order(town, subject="order-88190", partitionkey="p")
    page = text(someone.get("/find/?q=order-88190"))
    assert "The newest events about “order-88190”" in page
    assert page.count('href="/journey/') >= 3
    assert f'href="/journey/{keyed}/"' in page
    order(town, subject="order-8819")
    assert "No event has the id, number or subject “order-881”." in text(someone.get("/find/?q=order-881"))


def test_an_event_that_waits_says_behind_which_and_until_when(someone: Client, town: SimpleNamespace) -> None:
    first = refuse(town, subject="A", id="fail-1")
    second = order(town, subject="A")
    write.hold(town.billing.pk, second, State.WAITING, reason=None, status=None)
    page = text(someone.get(f"/journey/{second}/"))
    assert "It waits behind the dead letter" in page
    assert f'href="/journey/{first}/?target={town.billing.pk}">fail-1</a>' in page
    write.execute("UPDATE runner_exception SET state = %s WHERE seq = %s", int(State.RETRY), first)
    assert "which is tried again" in text(someone.get(f"/journey/{second}/"))


def test_a_target_that_never_answered_did_not_refuse(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town)
    for number in (1, 2):
        write.attempt(town.billing.pk, seq, Outcome.RETRY, number, status=None, reason="Connection refused.")
    write.hold(town.billing.pk, seq, State.DEAD, status=None, reason="Connection refused.", request="{}")
    page = text(someone.get(f"/journey/{seq}/"))
    assert f"Given up after 2 tries: {town.billing.name} did not answer." in page
    assert "Check where it delivers" in page
    assert "Not reachable" in text(someone.get("/targets/"))
    refuse(town)
    assert "Refusing" in text(someone.get("/targets/"))


def test_what_was_sent_names_the_try_and_its_time(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town)
    at = write.now() - 60 * write.SECOND
    write.attempt(town.billing.pk, seq, Outcome.RETRY, 3, at=at, status=503, reason="It answers 503.")
    page = text(someone.get(f"/journey/{seq}/?target={town.billing.pk}"))
    assert str(at // 1_000_000) in page
    assert "signalbox-attempt" in page
