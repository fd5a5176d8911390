"""The catalog's pages through Django: what they show, what their forms check, who may open them."""

from __future__ import annotations

import html
import json
import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from catalog import facts as asked
from catalog import setup
from catalog.access import PUBLIC, permission_of
from catalog.facts import Listener, Published, PublishRefused, RecentEvent, Totals, TypeFacts
from catalog.models import Bus, Domain, EventType, SchemaVersion, Source, Team, Token
from catalog.navigation import RAIL

pytestmark = pytest.mark.django_db

SCHEMA = json.dumps(
    {
        "type": "object",
        "required": ["order_id"],
        "properties": {
            "order_id": {"type": "string", "description": "The shop's own number"},
            "total": {"type": "object", "properties": {"amount": {"type": "number"}}},
        },
    },
    indent=1,
)
EXAMPLE = '{"order_id": "order-1", "total": {"amount": 12.5}}'


class FakeLog:
    """A log that knows what a test tells it."""

    def __init__(self):
        self.traffic, self.stored, self.refusal, self.asked = {}, [], None, 0

    def types(self, names):
        self.asked += 1
        return {name: self.traffic[name] for name in names if name in self.traffic}

    def recent(self, type_name, limit):
        return [event for event in reversed(self.stored) if event.type == type_name][:limit]

    def listeners(self, type_name):
        return [Listener(3, "Orders to billing", 4, "Billing API", "bad", "refusing")]

    def totals(self):
        return Totals(1_920_000, 1334)

    def publish(self, bus, body):
        if self.refusal:
            raise self.refusal
        event, now = json.loads(body), datetime.now(UTC)
        seq = len(self.stored) + 41
        self.stored.append(
            RecentEvent(seq, event["id"], event["type"], event["source"], event.get("subject"), now, body)
        )
        return Published(event["id"], seq)


@pytest.fixture
def log(monkeypatch):
    fake = FakeLog()
    monkeypatch.setattr(asked, "_facts", fake)
    return fake


@pytest.fixture
def person(client):
    user = get_user_model().objects.create_superuser("mara", password="signal-box-9")
    client.force_login(user)
    return user


@pytest.fixture
def town():
    """A bus, a team, a domain, a source and one event type at version 1."""
    team = Team.objects.create(name="Checkout", slug="checkout")
    bus = Bus.objects.create(name="main", retention_days=90)
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
    source = Source.objects.create(name="Shop", slug="shop", uri="/shop/checkout", bus=bus, team=team)
    placed = EventType.objects.create(
        name="order.placed", summary="A customer committed to buy.", domain=domain, team=team
    )
    placed.sources.add(source)
    SchemaVersion.objects.create(event_type=placed, number=1, schema=SCHEMA, example=EXAMPLE)
    return placed


def text_of(response):
    page = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# ── who may open what ──


def patterns(resolver=None, prefix=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern


def address(route):
    """A URL of `route` with something in each of its places."""
    return "/" + re.sub(r"<(\w+):\w+>", lambda place: "1" if place[1] == "int" else "x", route)


def test_every_url_names_the_permission_it_needs():
    nameless = [route for route, pattern in patterns() if permission_of(pattern.callback) is None]
    assert nameless == []
    known = {
        f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }
    named = {permission_of(pattern.callback) for _, pattern in patterns()}
    assert named - known - {PUBLIC, "signed in"} == set()


def test_nobody_opens_a_page_without_signing_in_and_htmx_gets_401(client, person):
    client.logout()
    for route, pattern in patterns():
        if permission_of(pattern.callback) == PUBLIC:
            continue
        for method in (client.get, client.post):
            response = method(address(route))
            assert response.status_code in (302, 401, 403), route
            if response.status_code == 302:
                assert response.url.startswith("/sign-in/?next=/"), route
        assert client.get(address(route), headers={"HX-Request": "true"}).status_code in (401, 403), route


def test_whoever_lacks_the_permission_is_told_which(client, town, log):
    person = get_user_model().objects.create_user("jonas", password="signal-box-9")
    client.force_login(person)
    response = client.get("/settings/buses/")
    assert response.status_code == 403
    assert "catalog.view_bus" in text_of(response)
    person.user_permissions.add(Permission.objects.get(codename="view_bus"))
    client.force_login(get_user_model().objects.get(pk=person.pk))
    assert client.get("/settings/buses/").status_code == 200
    assert client.post("/settings/buses/new/", {"name": "second"}).status_code == 403
    assert not Bus.objects.filter(name="second").exists()


def test_the_rail_lists_only_pages_that_exist(client, person, town, log):
    html = client.get("/").content.decode()
    for _, places in RAIL:
        for place in places:
            assert str(place.label) in html


PAGES = [
    "/",
    "/?view=table",
    "/?q=order",
    "/?q=nothing-like-it",
    "/?show=quiet",
    "/?show=new",
    "/?domain=orders",
    "/events/order.placed/",
    "/events/order.placed/?show=schema&with=python&version=1",
    "/events/order.placed/edit/",
    "/events/order.placed/delete/",
    "/events/order.placed/versions/new/",
    "/events/order.placed/publish/",
    "/events/order.placed/publish/?as=json",
    "/events/new/",
    "/events/new/check/?name=order.placed",
    "/export/",
    "/sources/",
    "/sources/?q=nowhere",
    "/sources/new/",
    "/sources/shop/",
    "/sources/shop/edit/",
    "/settings/tokens/",
    "/settings/buses/",
    "/settings/buses/new/",
    "/settings/buses/main/",
]


@pytest.mark.parametrize("url", PAGES)
def test_a_page_opens_within_the_content_security_policy(client, person, town, log, url):
    response = client.get(url)
    assert response.status_code == 200
    page = response.content.decode()
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page), "an attribute that the policy forbids"
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)", page), "an inline element that the policy forbids"
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    "url", ["/", "/?view=table", "/sources/", "/settings/tokens/", "/settings/buses/", "/events/new/"]
)
def test_a_page_of_an_empty_installation_opens_and_says_what_to_do(client, person, log, url):
    response = client.get(url)
    assert response.status_code == 200
    assert 'class="btn primary"' in response.content.decode()


def test_the_theme_of_the_cookie_is_rendered_and_nothing_else_from_it(client, person, town, log):
    client.cookies["theme"] = "dark"
    assert b'data-theme="dark"' in client.get("/").content
    client.cookies["theme"] = '"><b>'
    assert b"data-theme" not in client.get("/").content


# ── signing in, setting up ──


def test_signing_in_leads_where_one_wanted_to_go_and_signing_out_needs_a_post(client):
    get_user_model().objects.create_user("mara", password="signal-box-9", is_superuser=True)
    wrong = client.post("/sign-in/", {"username": "mara", "password": "nope"})
    assert "do not belong together" in text_of(wrong)
    right = client.post(
        "/sign-in/?next=/sources/", {"username": "mara", "password": "signal-box-9", "next": "/sources/"}
    )
    assert right.url == "/sources/"
    elsewhere = client.post(
        "/sign-in/", {"username": "mara", "password": "signal-box-9", "next": "//example.com/"}
    )
    assert elsewhere.url == "/"
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").url == "/sign-in/"
    assert client.get("/").status_code == 302


@pytest.fixture
def link(settings, tmp_path):
    settings.VAR = tmp_path
    return setup.one_time_link()


ADMINISTRATOR = {
    "username": "mara",
    "password1": "signal-box-9",
    "password2": "signal-box-9",
    "team": "Checkout",
}


def test_without_users_every_page_leads_to_the_one_time_link(client, link):
    response = client.get("/sources/", follow=True)
    assert response.request["PATH_INFO"] == "/setup/"
    assert "printed in the terminal" in text_of(response)


def test_the_one_time_link_makes_the_administrator_once(client, link):
    assert "password" in text_of(client.post(link, ADMINISTRATOR | {"password2": "other"}))
    assert not get_user_model().objects.exists()
    assert client.post(link, ADMINISTRATOR).url == "/"
    user = get_user_model().objects.get()
    assert user.is_superuser
    assert [team.name for team in user.teams.all()] == ["Checkout"]
    assert Bus.objects.get().name == "main"
    assert client.get("/").status_code == 200, "signed in"
    client.logout()
    assert client.get(link).status_code == 404
    assert client.post(link, ADMINISTRATOR | {"username": "eve"}).status_code == 404
    assert get_user_model().objects.count() == 1
    assert setup.one_time_link() is None


def test_a_newer_link_replaces_the_older_and_a_guessed_one_opens_nothing(client, link):
    newer = setup.one_time_link()
    assert client.get(link).status_code == 404
    assert client.get("/setup/guess/").status_code == 404
    assert client.get(newer).status_code == 200


def test_the_link_is_kept_as_a_digest_that_only_its_owner_reads(link):
    (file,) = Path(django_settings.VAR).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert link.split("/")[2] not in file.read_text()


def test_of_two_who_use_the_link_at_once_one_gets_the_account(link):
    token = link.split("/")[2]
    setup.make_administrator(token, "mara", "signal-box-9", "Checkout")
    with pytest.raises(setup.LinkUsed):
        setup.make_administrator(token, "eve", "signal-box-9", "Checkout")


def test_a_failure_while_making_the_administrator_keeps_the_link(link, monkeypatch):
    monkeypatch.setattr(setup, "new_team", lambda name, user: 1 / 0)
    token = link.split("/")[2]
    with pytest.raises(ZeroDivisionError):
        setup.make_administrator(token, "mara", "signal-box-9", "Checkout")
    assert setup.is_open(token)


# ── marketplace ──


def names(response):
    return re.findall(r'good-n truncate">([^<]+)<', response.content.decode())


def more(town, *names, **fields):
    made = {"summary": "…", "domain": town.domain, "team": town.team} | fields
    return [EventType.objects.create(name=name, **made) for name in names]


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
    if "payroll" not in query:
        EventType.objects.filter(name="refund.issued").update(team=town.team)
    else:
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
    for url in ("/", "/?q=07", "/?view=table", "/?domain=domain-3", "/?show=quiet", "/?page=2"):
        log.asked = 0
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get(url)
        assert page.status_code == 200
        assert len(queries) <= 20, url
        assert log.asked <= 3, url
        assert len(page.content) < 250_000, url
    assert len(names(client.get("/"))) <= 72
    assert '"next"' in client.get("/").content.decode()


# ── event type ──


def test_the_page_of_a_type_tells_fields_listeners_versions_and_the_newest_event(client, person, town, log):
    log.publish("main", b'{"id": "a-1", "type": "order.placed", "source": "/shop", "data": {"x": "<b>"}}')
    page = client.get("/events/order.placed/")
    text = text_of(page)
    for words in (
        "order_id required",
        "The shop&#x27;s own number",
        "Billing API",
        "refusing",
        "first version",
        "90 days",
    ):
        assert words in text
    assert 'href="/journey/41/"' in page.content.decode()
    assert "<b>" not in page.content.decode().split('class="code pad"')[2]


def test_an_unknown_type_is_not_found(client, person, log):
    assert client.get("/events/no.such.type/").status_code == 404


def test_a_name_with_slashes_has_its_pages(client, person, town, log):
    EventType.objects.filter(pk=town.pk).update(name="com.example/orders/placed")
    for page in ("", "edit/", "publish/", "versions/new/"):
        assert client.get(f"/events/com.example/orders/placed/{page}").status_code == 200


def test_the_curl_line_is_what_a_shell_can_run(client, person, town, log):
    SchemaVersion.objects.create(
        event_type=town, number=2, schema="{}", example='{"who": "O\'Hara \\"x\\" $HOME `id`"}'
    )
    import html
    import subprocess

    found = re.search(
        r'id="snippet"[^>]*>(.*?)</pre>', client.get("/events/order.placed/").content.decode(), re.S
    )
    shell = (
        "curl() { printf '%s\\0' \"$@\"; }; uuidgen() { echo made-up; }; SIGNALBOX_TOKEN=t\n"
        + html.unescape(found[1])
    )
    words = subprocess.run(["bash", "-c", shell], capture_output=True, check=True).stdout.decode().split("\0")
    assert "http://testserver/v1/buses/main/events" in words
    assert "Authorization: Bearer t" in words
    event = json.loads(words[words.index("-d") + 1])
    assert event["id"] == "made-up"
    assert event["data"] == {"who": 'O\'Hara "x" $HOME `id`'}


# ── registering ──


def registration(town, **changes):
    return {
        "name": "order.cancelled",
        "summary": "An order was withdrawn.",
        "domain": town.domain_id,
        "team": town.team_id,
        "sources": [source.pk for source in town.sources.all()],
        "schema": SCHEMA,
        "example": EXAMPLE,
        "validation": "reject",
    } | changes


def test_registering_puts_a_type_with_version_1_on_the_shelf(client, person, town, log):
    assert client.post("/events/new/", registration(town)).url == "/events/order.cancelled/"
    made = EventType.objects.get(name="order.cancelled")
    assert (made.latest.number, made.latest.schema, made.created_by) == (1, SCHEMA, person)
    assert [source.name for source in made.sources.all()] == ["Shop"]


def test_a_new_domain_and_a_new_team_are_made_on_the_spot(client, person, town, log):
    response = client.post(
        "/events/new/",
        registration(town, new_domain="City traffic", new_team="City data", domain="", team=""),
    )
    assert response.status_code == 302
    made = EventType.objects.get(name="order.cancelled")
    assert (made.domain.name, made.domain.badge, made.domain.hue, made.domain.team) == (
        "City traffic",
        "CT",
        1,
        made.team,
    )
    assert list(made.team.members.all()) == [person]


WRONG = [
    ({"name": "order.placed"}, "name", "taken"),
    ({"name": "Order.Placed"}, "name", "taken"),
    ({"name": "order placed"}, "name", "letters, digits"),
    ({"name": "a/publish"}, "name", "address of the console"),
    ({"name": "new"}, "name", "address of the console"),
    ({"name": ""}, "name", "required"),
    ({"summary": ""}, "summary", "required"),
    ({"domain": ""}, "domain", "Choose a domain"),
    ({"team": ""}, "team", "Choose a team"),
    ({"new_domain": "orders", "domain": ""}, "new_domain", "Choose it in the list"),
    ({"schema": '{\n "a": 1,\n}'}, "schema", "Line 3"),
    ({"schema": '{"type": "objekt"}'}, "schema", "Line 1: /type"),
    ({"schema": '{"$ref": "http://example.com/"}'}, "schema", "nothing is fetched"),
    ({"schema": '{"$schema": "http://example.com/"}'}, "schema", "not supported"),
    ({"example": '{\n "order_id": 5\n}'}, "example", "Line 2: /order_id: Must be string"),
    ({"example": "{"}, "example", "Line 1"),
    ({"validation": "perhaps"}, "validation", "valid choice"),
]


@pytest.mark.parametrize(("changes", "field", "words"), WRONG)
def test_what_is_wrong_is_told_at_its_field_and_changes_nothing(
    client, person, town, log, changes, field, words
):
    response = client.post("/events/new/", registration(town, **changes))
    assert response.status_code == 200
    assert words in str(response.context["form"].errors[field])
    html = response.content.decode()
    assert f'id="id_{field}_error"' in html
    assert 'aria-invalid="true"' in html or field == "validation"
    assert EventType.objects.count() == Domain.objects.count() == Team.objects.count() == 1


def test_a_mistake_in_a_schema_is_underlined_at_its_line(client, person, town, log):
    html = client.post("/events/new/", registration(town, schema='{\n "type": "objekt"\n}')).content.decode()
    assert "data-problems" in html
    assert "&quot;line&quot;: 2" in html


def test_the_name_is_checked_while_it_is_typed(client, person, town, log):
    assert "This name is free" in text_of(client.get("/events/new/check/?name=order.sent"))
    assert "taken" in text_of(client.get("/events/new/check/?name=order.placed"))
    assert client.get("/events/new/check/?name=").content.strip() == b""


def test_a_new_version_gets_the_next_number_and_leaves_the_old_as_it_was(client, person, town, log):
    changed = SCHEMA.replace("own", "very own")
    url = "/events/order.placed/versions/new/"
    assert "unchanged" in text_of(client.post(url, {"schema": SCHEMA, "example": EXAMPLE}))
    assert client.post(url, {"schema": changed, "example": EXAMPLE, "notes": "clearer"}).status_code == 302
    assert [(one.number, one.schema) for one in town.versions.order_by("number")] == [
        (1, SCHEMA),
        (2, changed),
    ]
    first = town.versions.get(number=1)
    first.schema = "{}"
    with pytest.raises(ValidationError, match="never changes"):
        first.save()


def test_editing_a_type_changes_what_it_says_and_not_its_name(client, person, town, log):
    sent = registration(town, name="other", summary="Changed.", validation="warn", sources=[])
    assert client.post("/events/order.placed/edit/", sent).status_code == 302
    town.refresh_from_db()
    assert (town.name, town.summary, town.validation) == ("order.placed", "Changed.", "warn")
    assert not town.sources.exists()


def test_deleting_a_type_asks_first_and_says_who_depends_on_it(client, person, town, log):
    url = "/events/order.placed/delete/"
    assert f'href="{url}"' in client.get("/events/order.placed/").content.decode()
    page = text_of(client.get(url))
    for word in (
        "Delete order.placed ?",
        "its 1 schema version go",
        "Orders to billing",
        "Billing API",
        "Shop",
    ):
        assert word in page
    assert EventType.objects.count() == 1
    assert client.post(url).url == "/"
    assert not EventType.objects.exists()
    assert not SchemaVersion.objects.exists()
    assert Source.objects.count() == 1
    assert client.get("/events/order.placed/").status_code == 404


def test_who_may_not_delete_types_is_not_offered_it(client, town, log):
    reader = get_user_model().objects.create_user("reader")
    reader.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    client.force_login(reader)
    assert "/delete/" not in client.get("/events/order.placed/").content.decode()
    assert client.post("/events/order.placed/delete/").status_code == 403
    assert EventType.objects.count() == 1


# ── sources, tokens, buses ──


def test_a_source_is_registered_and_shows_its_curl_line(client, person, town, log):
    sent = {"name": "Parcel post", "uri": "/post", "bus": Bus.objects.get().pk, "new_team": "Fulfilment"}
    assert client.post("/sources/new/", sent).url == "/sources/parcel-post/"
    page = text_of(client.get("/sources/parcel-post/"))
    assert "/v1/buses/main/events" in page
    assert "&quot;source&quot;: &quot;/post&quot;" in page


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"uri": "/shop/checkout"}, "uri", "Another source"),
        ({"uri": "with space"}, "uri", "no spaces"),
        ({"name": "SHOP"}, "name", "is registered"),
        ({"bus": ""}, "bus", "required"),
        ({"new_team": "checkout"}, "new_team", "Choose it in the list"),
    ],
)
def test_a_wrong_source_is_told_at_its_field(client, person, town, log, changes, field, words):
    sent = {"name": "Post", "uri": "/post", "bus": Bus.objects.get().pk, "team": town.team_id} | changes
    response = client.post("/sources/new/", sent)
    assert words in str(response.context["form"].errors[field])
    assert Source.objects.count() == 1


def test_editing_a_source_keeps_its_address(client, person, town, log):
    sent = {"name": "Shop two", "uri": "/shop/checkout", "bus": Bus.objects.get().pk, "team": town.team_id}
    assert client.post("/sources/shop/edit/", sent).url == "/sources/shop/"
    assert Source.objects.get().name == "Shop two"


def test_a_token_is_shown_once_and_kept_as_a_digest(client, person, town, log):
    bus = Bus.objects.get()
    made = client.post("/settings/tokens/", {"name": "checkout", "team": town.team_id, "bus": bus.pk})
    # Reloading the page that shows it asks for it again, and must not make another.
    assert made.url == "/settings/tokens/"
    cookie = made.cookies["issued-token"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (made.url, True, "Strict")
    shown = client.get(made.url)
    page = html.unescape(shown.content.decode())
    text = re.search(r'<code id="token">([^<]+)</code>', page)[1]
    token = Token.objects.get()
    assert token.fits(text)
    assert f"export SIGNALBOX_TOKEN={text}\ncurl -i http://testserver/v1/buses/main/events" in page
    assert "no-store" in shown["Cache-Control"]
    assert text not in client.get("/settings/tokens/").content.decode()
    assert Token.objects.count() == 1
    assert client.get(f"/settings/tokens/{token.pk}/revoke/").status_code == 405
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    first = token.revoked_at
    assert first is not None
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at == first


def test_a_password_that_is_too_weak_is_told_at_the_password(client, link):
    response = client.post(link, ADMINISTRATOR | {"password1": "12345", "password2": "12345"})
    errors = response.context["form"].errors
    assert "too short" in str(errors["password1"])
    assert "password2" not in errors


def test_a_bus_is_made_and_its_name_stays(client, person, log):
    sent = {"name": "main", "retention_days": 30, "description": "", "open_publishing": "on"}
    assert client.post("/settings/buses/new/", sent).url == "/settings/buses/"
    assert (
        client.post("/settings/buses/main/", sent | {"name": "other", "retention_days": 7}).status_code == 302
    )
    bus = Bus.objects.get()
    assert (bus.name, bus.retention_days, bus.open_publishing) == ("main", 7, True)
    for wrong in ({"name": "Two Words"}, {"name": "main"}, {"name": "b", "retention_days": 0}):
        assert client.post("/settings/buses/new/", sent | wrong).status_code == 200
    assert Bus.objects.count() == 1


# ── publishing ──


def published(client, url="/events/order.placed/publish/", **changes):
    form = client.get(url).context["form"]
    data = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
    return client.post(url, data | {"source": "/shop/checkout", "subject": "order-1"} | changes)


def test_a_test_event_goes_through_the_ingest_and_is_shown_as_stored(client, person, town, log):
    response = published(client)
    assert response.url == "/events/order.placed/publish/?as=form&stored=41"
    (stored,) = log.stored
    event = json.loads(stored.raw)
    assert event["data"] == json.loads(EXAMPLE)
    assert (event["type"], event["source"], event["subject"]) == ("order.placed", "/shop/checkout", "order-1")
    assert event["specversion"] == "1.0"
    page = client.get(response.url).content.decode()
    assert 'href="/journey/41/"' in page
    assert stored.id in page


def test_the_json_tab_sends_what_was_written(client, person, town, log):
    published(client, "/events/order.placed/publish/?as=json", whole='{"order_id": "x", "more": [1]}')
    assert json.loads(log.stored[0].raw)["data"] == {"order_id": "x", "more": [1]}


def test_a_refusal_of_the_ingest_stands_beside_its_field(client, person, town, log):
    log.refusal = PublishRefused("data/total/amount: Must be at least 20.", "/data")
    strict = json.loads(SCHEMA)
    strict["properties"]["total"]["properties"]["amount"]["minimum"] = 20
    SchemaVersion.objects.create(event_type=town, number=2, schema=json.dumps(strict), example=EXAMPLE)
    response = published(client)
    assert response.status_code == 200
    html = response.content.decode()
    assert html.count("Must be at least 20, is 12.5.") == 1
    assert re.search(r'name="data-1"[^>]*aria-invalid="true"', html)


def test_a_refusal_for_another_reason_than_the_data_is_told_above_the_form(client, person, town, log):
    log.refusal = PublishRefused("The database does not answer in time.")
    assert "The database does not answer in time." in text_of(published(client))


def test_before_delivery_has_registered_nothing_can_be_published_and_pages_still_open(
    client, person, town, monkeypatch
):
    monkeypatch.setattr(asked, "_facts", asked.NoFacts())
    for url in PAGES:
        assert client.get(url).status_code == 200
    assert "no ingest" in text_of(published(client))


def test_a_post_without_the_forms_protection_changes_nothing(person, town, log):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    response = client.post("/events/new/", registration(town))
    assert response.status_code == 403
    assert "too old to be sent" in text_of(response)
    assert EventType.objects.count() == 1


def test_the_same_form_sent_twice_is_one_event_and_changed_in_between_two(client, person, town, log):
    url = "/events/order.placed/publish/"
    form = client.get(url).context["form"]
    sent = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
    sent |= {"source": "/shop/checkout", "subject": "order-1"}
    for subject in ("order-1", "order-1", "order-2"):
        client.post(url, sent | {"subject": subject})
    published(client)
    ids = [event.id for event in log.stored]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
