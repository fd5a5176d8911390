"""A journey answers in its first sentence, and what an event holds is shown and never run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from delivery.models import BinRequest, RequestBin
from delivery.tracking.words import Outcome, State
from rules.models import Target
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse, text

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_journey_answers_in_its_first_sentence(someone: Client, town: SimpleNamespace) -> None:
    seq = refuse(town, subject="order-88190", time="2026-11-23T02:41:07.112Z")
    refuse(town)
    page = text(someone.get(f"/journey/{seq}/"))
    assert "It reached 0 of 1 listeners. Billing refused it." in page
    assert "1 more event" in page
    assert "422 Unprocessable" in page
    assert "too long" in page
    assert "order-88190" in page
    assert f"msg_{town.billing.pk:x}_{seq:x}" in page
    assert "s3cret" not in page


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda town, seq: None, "It is on its way to Billing."),
        (lambda town, seq: Target.objects.update(state="paused"), "Billing is paused."),
        (lambda town, seq: Target.objects.update(state="stopped"), "Billing has stopped."),
        (
            lambda town, seq: write.hold(town.billing.pk, seq, State.RETRY, due_at=write.now() + 10**7),
            "it is tried again",
        ),
        (lambda town, seq: write.hold(town.billing.pk, seq, State.WAITING), "waits behind an earlier event"),
        (
            lambda town, seq: write.attempt(town.billing.pk, seq, Outcome.DISCARDED),
            "A person discarded it for Billing.",
        ),
        (
            lambda town, seq: write.attempt(town.billing.pk, seq, Outcome.DELIVERED),
            "It reached its one listener.",
        ),
    ],
)
def test_every_end_of_a_journey_has_its_sentence(
    someone: Client, town: SimpleNamespace, prepare: Any, sentence: str
) -> None:
    seq = order(town)
    prepare(town, seq)
    assert sentence in text(someone.get(f"/journey/{seq}/"))


def test_a_journey_says_why_nobody_took_it(someone: Client, town: SimpleNamespace) -> None:
    page = text(someone.get(f"/journey/{order(town, 'EUR')}/"))
    assert "Nobody took it. 1 rule looked at it." in page
    assert "data.currency is &quot;EUR&quot;, the rule wants &quot;SEK&quot;" in page


def test_what_an_event_holds_is_shown_and_never_run(someone: Client, town: SimpleNamespace) -> None:
    nasty = '<script>alert(1)</script>"><img src=x>'
    seq = write.store(
        town.bus, (town.billing.pk,), data={"currency": "SEK", "ref": nasty}, subject=nasty, id=nasty
    )
    write.attempt(town.billing.pk, seq, Outcome.REJECTED, reason=nasty, response=nasty, status=422)
    write.hold(town.billing.pk, seq, State.DEAD, reason=nasty)
    made = RequestBin.objects.create(name=nasty, team=town.rule.team)
    BinRequest.objects.create(bin=made, method="POST", headers=[[nasty, nasty]], body=nasty)
    paths = [
        f"/journey/{seq}/", "/deliveries/", "/deliveries/tail/", "/deliveries/wire/", "/dead-letters/",
        f"/targets/{town.billing.pk}/", f"/bins/{made.pk}/", "/bins/", f"/find/?q={nasty}",
    ]  # fmt: skip
    for path in paths:
        page = text(someone.get(path, follow=True))
        assert "<script>alert" not in page, path
        assert "<img src=x>" not in page, path


def test_an_event_that_is_gone_says_so(someone: Client, town: SimpleNamespace) -> None:
    answer = someone.get("/journey/4711/")
    assert answer.status_code == 404
    assert "The log does not hold event 4711" in text(answer)


def test_find_leads_to_the_journey(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town, id="order-88190")
    assert someone.get("/find/?q=order-88190").headers["Location"] == f"/journey/{seq}/"
    assert someone.get(f"/find/?q={seq}").headers["Location"] == f"/journey/{seq}/"
    assert "No event has the id, number or subject “x9”." in text(someone.get("/find/?q=x9"))
    order(town, id="order-88190", source="/app")
    assert "Several events are called “order-88190”" in text(someone.get("/find/?q=order-88190"))


def test_a_large_event_can_be_saved_whole(someone: Client, town: SimpleNamespace) -> None:
    seq = write.store(town.bus, (), data={"text": "x" * 200_000}, type="big")
    page = text(someone.get(f"/journey/{seq}/"))
    assert "more characters" in page
    assert f'href="/journey/{seq}/event.json"' in page
    answer = someone.get(f"/journey/{seq}/event.json")
    assert answer["Content-Type"] == "application/cloudevents+json"
    assert answer["Content-Disposition"] == f'attachment; filename="event-{seq}.json"'
    assert answer.json()["data"] == {"text": "x" * 200_000}
    assert someone.get("/journey/999999/event.json").status_code == 404
