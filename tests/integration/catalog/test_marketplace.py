"""The marketplace: what a search finds, in which order, and what a good on the shelf shows."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import system
from catalog.changes import KINDS
from catalog.facts import TypeFacts
from catalog.indexing import index_all
from catalog.models import Domain, EventType, Lifecycle, SchemaVersion, Team
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
    more(town, "refund.issued", domain=people)
    more(town, "employee.joined", domain=people, team=team)
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
    assert "No event type is found by “refnud”. Did you mean refund ?" in text_of(page)
    assert '?q=refund"' in page.content.decode()


def test_the_id_of_an_event_is_not_called_nothing(client, person, town, log):
    log.publish("main", b'{"id": "my-first", "type": "order.placed", "source": "/shop", "data": 1}')
    page = text_of(client.get("/", {"q": "my-first"}))
    assert "No event type is found by “my-first”. But there is an event of this id. Open the event" in page
    assert "But there is" not in text_of(client.get("/", {"q": "my-last"}))


def test_the_search_suggests_only_what_it_finds(client, person, town, log):
    index_all()
    page = client.get("/").content.decode()
    tried = re.search(r"Try “([^”]+)” or “([^”]+)”", page)
    for word in tried.groups():
        assert names(client.get("/", {"q": word})) == ["order.placed"]
    EventType.objects.all().delete()
    assert "Try “" not in client.get("/").content.decode()


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


def test_what_was_changed_is_found_as_it_is_now(client, person, town, log):
    town.summary = "Somebody bought a hat."
    town.save()
    assert names(client.get("/?q=hat")) == ["order.placed"]
    assert names(client.get("/?q=committed")) == []
    schema = '{"type": "object", "properties": {"parcels": {"type": "array", "items": {"type": "object", "properties": {"weight": {"type": "number", "description": "In grams"}}}}}}'
    SchemaVersion.objects.create(event_type=town, number=2, schema=schema)
    for query in ("data.parcels.weight", "data.parcels[].weight", "parcels[].weight", "grams"):
        assert names(client.get("/", {"q": query})) == ["order.placed"], query
    assert names(client.get("/?q=data.total.amount")) == [], "a field of the version before"
    town.team.name = "Hatters"
    town.team.save()
    assert names(client.get("/?q=hatters")) == ["order.placed"]
    town.sources.clear()
    assert names(client.get("/?q=/shop/checkout")) == []
    name = town.name
    town.delete()
    assert names(client.get("/", {"q": name})) == []


@pytest.mark.parametrize("query", ['"', "%", "_", "a_b", "'; --", "*", "data NEAR sku", "é", "-", "OR"])
def test_a_query_is_text_and_no_language(client, person, town, log, query):
    assert client.get("/", {"q": query}).status_code == 200
    more(town, "strange", summary=f"Before {query} after")
    assert "strange" in names(client.get("/", {"q": query}))


def test_the_page_says_where_a_word_was_found(client, person, town, log):
    assert "field data.total.amount" in text_of(client.get("/?q=total.amount"))
    assert "example value order-1" in text_of(client.get("/?q=order-1"))
    assert "example value" not in text_of(client.get("/?q=placed"))


def test_a_field_is_counted_over_the_catalog_with_its_types(client, person, town, log):
    for number, kind in enumerate(("string", "string", "integer")):
        (one,) = more(town, f"thing.{number}")
        SchemaVersion.objects.create(
            event_type=one, number=1, schema=f'{{"properties": {{"order_id": {{"type": "{kind}"}}}}}}'
        )
    page = text_of(client.get("/?q=order_id"))
    assert "order_id is a field of 4 event types: string in 3, integer in 1" in page
    assert "is a field of" not in text_of(client.get("/?q=placed"))


def test_facets_tell_what_we_subscribe_to_what_is_busy_silent_and_deprecated(client, person, town, log):
    more(town, "order.old", lifecycle=Lifecycle.DEPRECATED, ends_on=date(2027, 1, 31))
    town.team.members.add(person)
    more(town, "order.fresh")
    EventType.objects.filter(name="order.old").update(created_at=timezone.now() - timedelta(hours=25))
    log.traffic = {
        "order.placed": TypeFacts([0] * 60, 9, 0, 2, None),
        "order.fresh": TypeFacts([0] * 60, 0, 0, 2, None),
    }
    log.ours, log.rates = {"order.placed"}, {"order.placed": 1.0, "order.old": 0.9, "unknown": 50.0}
    for show, found in (("ours", "placed"), ("busy", "placed"), ("silent", "old"), ("deprecated", "old")):
        assert names(client.get("/", {"show": show})) == [f"order.{found}"], show
    page = text_of(client.get("/"))
    assert "Subscribed by us 1" in page
    assert "Silent for a day 1" in page
    assert "ends 31 Jan" in page
    assert names(client.get("/?show=silent&q=placed")) == []


def test_seldom_facets_are_in_a_menu_until_one_is_chosen(client, person, town, log):
    more(town, "order.old", lifecycle=Lifecycle.DEPRECATED)
    page = client.get("/")
    row, menu = ({one.slug for one in page.context["facets"] if one.near is near} for near in (True, False))
    assert {"new", "quiet"} <= row
    assert menu == {"deprecated"}
    before, after = page.content.decode().split('<details class="filters"')
    assert "show=deprecated" not in before
    assert "show=deprecated" in after
    chosen = client.get("/?show=deprecated").content.decode()
    assert 'href="?show=deprecated" aria-current="true">Deprecated' in chosen
    assert '<details class="filters"' not in chosen, "nothing is left for it"


def test_a_facet_that_leaves_nothing_says_so(client, person, town, log):
    assert "None of your teams subscribes to anything yet." in text_of(client.get("/?show=ours"))
    assert "Busy 0" not in text_of(client.get("/")), "an empty facet is not offered"


def test_signalboxs_own_types_are_on_the_shelves_only_when_asked_for(client, person, town, log):
    system.ensure()
    own, kinds = "dev.signalbox.type.deprecated", len(KINDS)
    page = client.get("/")
    assert names(page) == ["order.placed"]
    assert "1 event type from 1 source. 1.92 million events crossed the bus" in text_of(page)
    assert f"Signalbox's own events {kinds}" in html.unescape(text_of(page))
    assert "All 1 New this week 1 No listeners yet 1" in text_of(page)
    assert names(client.get("/?view=table")) == []
    assert own not in client.get("/?view=table").content.decode()
    page = client.get("/?own=1")
    assert f"{kinds + 1} event types from 2 sources. 1.93 million" in text_of(page)
    assert own in client.get("/?own=1&view=table").content.decode()
    assert 'name="own" value="1"' in page.content.decode(), "a search from there keeps them"
    assert len(names(client.get("/?domain=signalbox"))) == kinds


def test_signalboxs_own_types_are_found_by_their_names_alone(client, person, town, log):
    system.ensure()
    assert names(client.get("/?q=signalbox.type.depr")) == ["dev.signalbox.type.deprecated"]
    assert names(client.get("/?q=signalbox reactivated")) == ["dev.signalbox.type.reactivated"]
    assert names(client.get("/?q=checkout")) == ["order.placed"], "their examples speak of a team checkout"
    assert "dev.signalbox.type.deprecated" in names(client.get("/?q=checkout&own=1&domain=signalbox"))
    assert "is a field of" not in text_of(client.get("/?q=successor"))
    assert f"successor is a field of {len(KINDS)} event types" in text_of(client.get("/?q=successor&own=1"))


def test_few_shelves_show_two_rows_and_many_show_one(client, person, town, log):
    more(town, *(f"order.{number}" for number in range(9)))
    assert len(names(client.get("/"))) == 6
    for number in range(6):
        shelf = Domain.objects.create(name=f"Shelf {number}", slug=f"shelf-{number}", badge="SH")
        more(town, *(f"thing.{number}.{one}" for one in range(4)), domain=shelf)
    assert len(names(client.get("/"))) == 7 * 3
    assert "All 10" in text_of(client.get("/"))


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
        assert len(queries) <= 31, url
        assert log.asked <= 5, url
        assert len(page.content) < 250_000, url
    assert len(names(client.get("/"))) <= 36
    assert '"next"' in client.get("/").content.decode()
