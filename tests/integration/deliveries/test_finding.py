"""The page that finds events by what is known of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from delivery.tracking.words import State
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse, text

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def listed(page: str) -> list[int]:
    """The events that a page leads to, in its order."""
    return list(dict.fromkeys(int(seq) for seq in re.findall(r'href="/journey/(\d+)/"', page)))


def test_without_a_question_the_latest_events_are_listed(someone: Client, town: SimpleNamespace) -> None:
    assert "No events yet." in text(someone.get("/find/"))
    first, second = order(town), order(town)
    page = text(someone.get("/find/"))
    assert "The latest events" in page
    assert listed(page) == [second, first]


def test_an_event_is_found_by_type_source_time_text_target_and_outcome(
    someone: Client, town: SimpleNamespace
) -> None:
    at = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp() * 1_000_000)
    old = write.store(town.bus, at=at, type="order.placed", source="/old", data={"note": "Ref-A1"})
    dead = refuse(town, source="/shop", at=at + 3600 * write.SECOND)
    new = order(town, type="stock.counted", at=at + 7200 * write.SECOND)
    for query, expected in (
        ("type=order", [dead, old]),
        ("type=order.placed&source=/old", [old]),
        ("type=stock.counted", [new]),
        ("since=2026-03-01T13:00:00", [new, dead]),
        ("until=2026-03-01T13:00:00", [old]),
        ("since=2026-03-01T12:30&until=2026-03-01T13:30", [dead]),
        ("text=ref-a1", [old]),
        ("outcome=dead", [dead]),
        (f"outcome=dead&target={town.billing.pk}", [dead]),
        (f"outcome=waiting&target={town.billing.pk}", []),
        (f"target={town.billing.pk}", [dead]),
        (f"q={dead}&outcome=dead", [dead]),
        (f"q={old}&outcome=dead", []),
    ):
        page = text(someone.get(f"/find/?{query}"))
        assert listed(page) == expected, query
        assert ("No event that is still kept fits." in page) == (not expected), query
    page = text(someone.get("/find/?outcome=dead"))
    assert f'<a href="/journey/{dead}/?target={town.billing.pk}">Billing</a>' in page
    assert "dead letter" in page
    assert "<mark>Ref-A1</mark>" in text(someone.get("/find/?text=ref-a1"))


def test_what_cannot_be_looked_for_is_said_at_its_field(someone: Client, town: SimpleNamespace) -> None:
    order(town)
    for query, words in (
        ("outcome=delivered", "Choose the target that it was delivered to."),
        ("text=ab", "at least 3 characters"),
        ("since=2026-03-02T00:00&until=2026-03-01T00:00", "This is before the time"),
        ("since=yesterday", "Enter a valid date/time."),
        ("target=999999", "Select a valid choice."),
    ):
        page = text(someone.get(f"/find/?{query}"))
        assert words in page, query
        assert listed(page) == []


def test_a_page_leads_to_older_ones_and_back(
    someone: Client, town: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from delivery.pages import finding
    from delivery.tracking import search

    monkeypatch.setattr(finding, "PAGE", 2)
    monkeypatch.setattr(search, "STRETCH", 3)
    seqs = [order(town, source="/a" if n else "/b") for n in range(7)]
    told: list[int] = []
    url = "/find/?source=/a"
    for _ in range(6):
        page = text(someone.get(url))
        told += listed(page)
        older = re.search(r'rel="next" href="([^"]*)"', page)
        if older is None:
            break
        url = "/find/" + older[1].replace("&amp;", "&")
    assert told == seqs[:0:-1]
    assert "There are no older ones." in page or "No event that is still kept fits." in page
    assert ">Newest</a>" in page
    url = "/find/?source=/b"
    page = text(someone.get(url))
    assert "Looked at 3 events, back to " in page
    assert 'hx-trigger="click, revealed"' in page
    assert 'hx-trigger="click"' in text(someone.get(url + "&steps=20"))


def test_a_text_does_not_tell_of_what_a_person_may_not_see(
    someone: Client, client: Client, town: SimpleNamespace
) -> None:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Permission

    from catalog.models import EventType

    EventType.objects.filter(name="order.placed").update(personal=["email"])
    hidden = order(town)
    write.execute(
        "UPDATE log_event SET raw = %s WHERE seq = %s",
        b'{"specversion": "1.0", "id": "1", "source": "/s", "type": "order.placed", '
        b'"data": {"email": "mara@example.org", "note": "open"}}',
        hidden,
    )
    assert listed(text(someone.get("/find/?text=mara@example"))) == [hidden]
    other = get_user_model().objects.create_user("lena")
    other.user_permissions.set(Permission.objects.filter(codename__in=["view_target", "view_eventtype"]))
    client.force_login(other)
    assert listed(text(client.get("/find/?text=mara@example"))) == []
    page = text(client.get("/find/?text=open"))
    assert listed(page) == [hidden]
    assert "mara@example" not in page


def test_markup_in_events_and_questions_stays_text(someone: Client, town: SimpleNamespace) -> None:
    nasty = '<script>alert("1")</script>'
    seq = write.store(town.bus, type=nasty, source="/shop", subject=nasty, data={"a": nasty})
    write.hold(town.billing.pk, seq, State.DEAD)
    for query in ({"text": "<script>alert"}, {"q": nasty, "type": nasty}, {"type": nasty}):
        page = text(someone.get("/find/", query))
        assert listed(page) == [seq], query
        assert "<script>alert" not in page
