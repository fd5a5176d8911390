"""The marketplace: what a search finds, in which order, and what a good on the shelf shows."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.facts import TypeFacts
from catalog.indexing import index_all
from catalog.models import Domain, EventType, SchemaVersion, Team
from tests.integration.catalog.shop import SCHEMA, more, names, text_of

pytestmark = pytest.mark.django_db


SEARCHES = [
    ("refund", ["refund.issued"]),
    ("REFUND issued", ["refund.issued"]),
    ("committed buy", ["order.placed"]),
    ("data.total.amount", ["order.placed"]),
    ("total.amount", ["order.placed"]),
    ("data.total.weight", []),
    ("shop's own number", ["order.placed"]),
    ("order-1", ["order.placed"]),
    ("payroll", ["employee.joined"]),
    ("orders", ["order.placed"]),
    ("order placed refund", []),
    ("100%", []),
]


@pytest.mark.parametrize(("query", "found"), SEARCHES)
def test_search_looks_into_names_sentences_teams_domains_fields_and_examples(
    client, person, town, log, query, found
):
    team = Team.objects.create(name="Payroll", slug="payroll")
    people = Domain.objects.create(name="People", slug="people", badge="PE", hue=5)
    more(town, "refund.issued", "employee.joined", domain=people, team=team)
    EventType.objects.filter(name="refund.issued").update(team=town.team)
    assert names(client.get("/", {"q": query})) == found


def test_what_is_called_so_comes_before_what_only_mentions_it(client, person, town, log):
    more(town, "aaa", summary="Speaks of an order")
    more(town, "zz.order", "order")
    assert names(client.get("/", {"q": "order"})) == ["order", "order.placed", "zz.order", "aaa"]


def test_a_search_by_htmx_gets_the_results_alone(client, person, town, log):
    part = client.get("/", {"q": "order"}, headers={"HX-Request": "true"})
    assert part.content.strip().startswith(b'<div id="results"')
    assert b"<html" not in part.content
    assert "HX-Request" in part["Vary"]
    whole = client.get(
        "/", {"q": "order"}, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )
    assert b"<html" in whole.content


def test_nothing_found_offers_a_word_that_is_close(client, person, town, log):
    more(town, "refund.issued")
    page = client.get("/", {"q": "refnud"})
    assert "Nothing is called “refnud”. Did you mean refund ?" in text_of(page)
    assert '?q=refund"' in page.content.decode()


@pytest.mark.parametrize("query", ["order-1", "x&y=9"], ids=["something matches", "nothing matches"])
def test_a_search_offers_the_events_with_that_id(client, person, town, log, query):
    page = client.get("/", {"q": query}).content.decode()
    assert f'href="/find/?q={quote(query, safe="")}"' in page


def test_without_a_search_no_event_is_offered(client, person, town, log):
    assert "/find/?q=" not in client.get("/").content.decode()


def test_facets_narrow_to_new_types_and_to_those_without_listeners(client, person, town, log):
    more(town, "order.old", created_at=datetime(2020, 1, 1, tzinfo=UTC))
    log.traffic = {"order.placed": TypeFacts([0] * 60, 0, 0, 2, None)}
    assert names(client.get("/?show=new")) == ["order.placed"]
    assert names(client.get("/?show=quiet")) == ["order.old"]


def test_a_good_shows_its_real_traffic(client, person, town, log):
    now = datetime.now(UTC)
    log.traffic = {"order.placed": TypeFacts([84] * 60, 10_000, 1, 6, now)}
    page = text_of(client.get("/"))
    assert "84 /min 6 listeners 99.99% valid" in page
    assert "1.92 million events crossed the bus" in page
    log.traffic = {"order.placed": TypeFacts([0] * 60, 100_000, 1, 1, now)}
    assert "99.99% valid" in text_of(client.get("/")), "one violation never reads as none"


def test_ten_thousand_types_are_browsed_with_few_queries_on_short_pages(client, person, town, log):
    domains = Domain.objects.bulk_create(
        Domain(name=f"Domain {n:02}", slug=f"domain-{n}", badge="DO", hue=n % 12) for n in range(30)
    )
    types = EventType.objects.bulk_create(
        (
            EventType(
                name=f"thing.{n:05}.happened", summary="Something.", domain=domains[n % 30], team=town.team
            )
            for n in range(10_000)
        ),
        batch_size=1000,
    )
    SchemaVersion.objects.bulk_create(
        (SchemaVersion(event_type=one, number=1, schema=SCHEMA) for one in types), batch_size=1000
    )
    assert index_all() == 10_001
    for url in ("/", "/?q=07", "/?view=table", "/?domain=domain-3", "/?show=quiet", "/?page=2"):
        log.asked = 0
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get(url)
        assert page.status_code == 200
        assert len(queries) <= 20, url
        assert log.asked <= 5, url
        assert len(page.content) < 250_000, url
    assert len(names(client.get("/"))) <= 72
    assert '"next"' in client.get("/").content.decode()
