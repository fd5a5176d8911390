"""Exports and schemas over HTTP: who may read them, what they hold, how they are cached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import AsyncRequestFactory, Client
from django.test.utils import CaptureQueriesContext
from django.utils.http import quote_etag

from catalog.exports import reading
from catalog.models import Bus, Domain, EventType, Lifecycle, SchemaVersion, Source, Team, Token
from catalog.pages import exports

pytestmark = pytest.mark.django_db

SCHEMA = '{"type": "object",\n "properties": {"id": {"type": "string"}}}'
DOCUMENTS = (
    "/export/asyncapi.json",
    "/export/asyncapi.yaml",
    "/export/openapi.json",
    "/export/openapi.yaml",
    "/export/schemas.json",
    "/export/xregistry.json",
    "/export/catalog-info.yaml",
    "/sources/shop/asyncapi.json",
    "/sources/shop/asyncapi.yaml",
)
SCHEMAS = ("/schemas/order.placed/1", "/schemas/order.placed", "/schemas/parcel/sent/1")


@pytest.fixture
def team() -> Team:
    """Two buses, a source on each, a type on each, and a type of no source."""
    team = Team.objects.create(name="Shop", slug="shop-team")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="Or", team=team)
    for bus, source, name in (("main", "shop", "order.placed"), ("other", "post", "parcel/sent")):
        kept = Source.objects.create(
            name=source.title(),
            slug=source,
            uri=f"/{source}",
            bus=Bus.objects.create(name=bus),
            team=team,
        )
        register(team, domain, name).sources.add(kept)
    register(team, domain, "loose")
    return team


def register(team: Team, domain: Domain, name: str, schema: str = SCHEMA) -> EventType:
    kind = EventType.objects.create(name=name, summary=f"About {name}", domain=domain, team=team)
    SchemaVersion.objects.create(event_type=kind, number=1, schema=schema, example='{"id": "1"}')
    return kind


@pytest.fixture
def person(client: Client, team: Team) -> Client:
    client.force_login(get_user_model().objects.create_superuser("ada"))
    return client


def bearer(team: Team, **fields: Any) -> dict[str, str]:
    _, text = Token.issue(name="ci", team=team, **fields)
    return {"Authorization": f"Bearer {text}"}


def body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


@pytest.mark.parametrize("address", [*DOCUMENTS, *SCHEMAS])
def test_a_person_and_a_program_that_may_read_get_the_same(person: Client, team: Team, address: str) -> None:
    seen = person.get(address)
    assert seen.status_code == 200
    program = Client().get(address, headers=bearer(team, reads=True))
    assert program.status_code == 200
    text = body(program)
    assert text == body(seen)
    assert "http://testserver/" in text or address in SCHEMAS
    yaml.safe_load_all(text) if address.endswith("yaml") else json.loads(text)


@pytest.mark.parametrize("address", [*DOCUMENTS, *SCHEMAS])
def test_a_program_is_refused_with_a_problem_document_and_a_browser_signs_in(
    client: Client, team: Team, address: str
) -> None:
    _, revoked = Token.issue(name="old", team=team, reads=True, revoked_at=datetime.now(UTC))
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer sbx_no_such"}, 401),
        ({"Authorization": f"Bearer {revoked}"}, 401),
        ({"Authorization": "Basic YTpi"}, 401),
        (bearer(team), 403),
    ):
        response = client.get(address, headers=headers)
        assert response.status_code == status, headers
        assert response["Content-Type"] == "application/problem+json"
        assert json.loads(response.content)["status"] == status
        assert ("WWW-Authenticate" in response) == (status == 401)
        assert "order" not in response.content.decode()
    page = client.get(address, headers={"Accept": "text/html,*/*"})
    assert page.status_code == 302
    assert page.url.startswith("/sign-in/")


def test_a_token_opens_no_page_that_takes_none(client: Client, team: Team) -> None:
    for address in ("/", "/export/", "/sources/", "/events/order.placed/"):
        assert client.get(address, headers=bearer(team, reads=True)).status_code == 302


def test_a_token_for_a_bus_sees_that_bus_and_what_no_source_is_named_for(client: Client, team: Team) -> None:
    headers = bearer(team, reads=True, bus=Bus.objects.get(name="main"))
    for address in DOCUMENTS:
        text = body(client.get(address, headers=headers))
        assert "order.placed" in text
        assert "parcel" not in text
        assert "other" not in text.replace("another", "")
    assert "loose" in body(client.get("/export/schemas.json", headers=headers))
    assert client.get("/schemas/order.placed/1", headers=headers).status_code == 200
    assert client.get("/schemas/loose", headers=headers).status_code == 200
    assert client.get("/schemas/parcel/sent/1", headers=headers).status_code == 404
    assert client.get("/schemas/parcel/sent", headers=headers).status_code == 404
    assert client.get("/sources/post/asyncapi.json", headers=headers).status_code == 404


def test_a_schema_is_served_as_it_was_registered_and_for_ever(person: Client) -> None:
    response = person.get("/schemas/order.placed/1")
    assert response.content.decode() == SCHEMA
    assert response["Content-Type"] == "application/schema+json"
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    version = SchemaVersion.objects.get(event_type__name="order.placed")
    assert response["ETag"] == quote_etag(version.digest)
    again = person.get("/schemas/order.placed/1", headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert person.head("/schemas/order.placed/1").status_code == 200
    assert person.post("/schemas/order.placed/1").status_code == 405


def test_the_address_without_a_number_gives_the_version_that_counts(person: Client) -> None:
    kind = EventType.objects.get(name="order.placed")
    states = (
        Lifecycle.DEPRECATED,
        Lifecycle.ACTIVE,
        Lifecycle.DEPRECATED,
        Lifecycle.DRAFT,
        Lifecycle.RETIRED,
    )
    for number, state in enumerate(states, 2):
        SchemaVersion.objects.create(
            event_type=kind, number=number, schema=f'{{"title": "{number}"}}', lifecycle=state
        )

    def newest() -> str:
        response = person.get("/schemas/order.placed")
        assert response["Cache-Control"] == "private, no-cache"
        described = next(one for one in reading.described("").types if one.name == "order.placed")
        assert described.current is not None
        assert response["Content-Location"] == f"/schemas/order.placed/{described.current.number}"
        assert response.content.decode() == described.current.schema
        return str(response["Content-Location"])

    assert newest() == "/schemas/order.placed/3"
    kind.default_version = kind.versions.get(number=2)
    kind.save()
    assert newest() == "/schemas/order.placed/2"
    kind.default_version = None
    kind.save()
    kind.versions.filter(lifecycle=Lifecycle.ACTIVE).update(lifecycle=Lifecycle.RETIRED)
    assert newest() == "/schemas/order.placed/4"
    # What was promised once keeps its address.
    assert person.get("/schemas/order.placed/6").status_code == 200


def test_a_name_that_ends_with_a_number_is_found_where_no_version_is_meant(
    person: Client, team: Team
) -> None:
    domain = Domain.objects.get()
    register(team, domain, "room/2", '{"title": "two"}')
    assert person.get("/schemas/room/2").json() == {"title": "two"}
    assert person.get("/schemas/room/2/1").json() == {"title": "two"}
    assert person.get("/schemas/room/3").status_code == 404


def test_what_is_not_there_is_said_in_the_form_of_whoever_asks(person: Client) -> None:
    for address in ("/schemas/nothing", "/schemas/nothing/1", "/schemas/order.placed/9"):
        program = person.get(address)
        assert program.status_code == 404
        assert program["Content-Type"] == "application/problem+json"
        assert "nothing" in program.json()["detail"] or "order.placed" in program.json()["detail"]
        browser = person.get(address, headers={"Accept": "text/html"})
        assert (browser.status_code, browser["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_deprecated_type_says_since_when_until_when_and_what_instead(person: Client) -> None:
    heir = EventType.objects.get(name="parcel/sent")
    EventType.objects.filter(name="order.placed").update(
        lifecycle=Lifecycle.DEPRECATED,
        deprecated_at=datetime(2026, 1, 2, tzinfo=UTC),
        ends_on=date(2027, 1, 1),
        successor=heir,
    )
    response = person.get("/schemas/order.placed/1")
    assert response["Deprecation"] == "@1767312000"
    assert response["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert response["Link"] == '</schemas/parcel/sent>; rel="successor-version"'
    assert "Deprecation" not in person.get("/schemas/parcel/sent/1")
    message = json.loads(body(person.get("/export/asyncapi.json")))["components"]["messages"][
        "order.placed.v1"
    ]
    assert message["x-deprecated"] == {
        "effective": "2026-01-02T00:00:00Z",
        "removal": "2027-01-01",
        "successor": "parcel/sent",
    }


def test_public_schemas_are_open_and_nothing_else_is(client: Client, team: Team, settings: Any) -> None:
    settings.PUBLIC_SCHEMAS = True
    for address in SCHEMAS:
        response = client.get(address)
        assert response.status_code == 200
        assert response["Cache-Control"].startswith("public, ")
        assert response["Access-Control-Allow-Origin"] == "*"
        assert "Cookie" not in response.get("Vary", "")
    for address in DOCUMENTS:
        assert client.get(address).status_code == 401
    SchemaVersion.objects.filter(event_type__name="order.placed").update(lifecycle=Lifecycle.DRAFT)
    EventType.objects.filter(name="parcel/sent").update(lifecycle=Lifecycle.DRAFT)
    for address in SCHEMAS:
        assert client.get(address).status_code == 404


def test_drafts_are_in_no_export_and_retired_types_only_where_history_is(person: Client) -> None:
    EventType.objects.filter(name="order.placed").update(lifecycle=Lifecycle.DRAFT)
    EventType.objects.filter(name="parcel/sent").update(lifecycle=Lifecycle.RETIRED)
    for address in DOCUMENTS[:4]:
        text = body(person.get(address))
        assert "order.placed" not in text
        assert "parcel" not in text
    for address in ("/export/schemas.json", "/export/xregistry.json"):
        text = body(person.get(address))
        assert "order.placed" not in text
        assert "parcel" in text


def test_a_retired_source_is_told_only_to_whoever_asks_for_it(person: Client) -> None:
    Source.objects.filter(slug="shop").update(retired_at=datetime.now(UTC))
    for address in ("/export/asyncapi.json", "/export/xregistry.json", "/export/catalog-info.yaml"):
        assert "/shop" not in body(person.get(address))
    assert "order.placed" in body(person.get("/sources/shop/asyncapi.json"))
    assert person.get("/sources/nobody/asyncapi.json").status_code == 404


def test_the_same_catalog_gives_the_same_bytes_with_as_many_queries(person: Client, team: Team) -> None:
    def read() -> tuple[str, int]:
        with CaptureQueriesContext(connection) as queries:
            text = "".join(body(person.get(address)) for address in DOCUMENTS)
        return text, len(queries)

    before, few = read()
    assert read()[0] == before
    for index in range(20):
        register(team, Domain.objects.get(), f"more.{index}").sources.set(Source.objects.all())
    after, many = read()
    assert "more.19" in after
    assert many == few


def test_a_download_has_a_name(person: Client) -> None:
    for address, name in (
        ("/export/asyncapi.yaml", "asyncapi.yaml"),
        ("/sources/shop/asyncapi.json", "shop.asyncapi.json"),
        ("/export/catalog-info.yaml", "catalog-info.yaml"),
    ):
        assert "Content-Disposition" not in person.get(address)
        saved = person.get(f"{address}?download")
        assert saved["Content-Disposition"] == f'attachment; filename="{name}"'


def test_the_page_says_what_each_is_for_and_where(person: Client) -> None:
    page = person.get("/export/").content.decode()
    for address in DOCUMENTS:
        assert address in page
    assert "http://testserver/export/asyncapi.yaml" in page
    assert "http://testserver/schemas/loose/1" in page
    assert (
        'href="/export/"' in person.get("/").content.decode()
        or 'href="/export/"' in person.get("/?q=").content.decode()
    )


def test_without_a_catalog_the_page_and_every_export_say_so(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("ada"))
    page = client.get("/export/").content.decode()
    assert "There is nothing to export yet." in page
    assert "No sources yet." in page
    for address in DOCUMENTS[:7]:
        response = client.get(address)
        assert response.status_code == 200
        body(response)


async def test_a_server_sends_a_document_while_it_is_made() -> None:
    made: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            made.append(number)
            yield str(number).encode()

    response = exports._streamed(AsyncRequestFactory().get("/"), pieces(), "text/plain", "x")
    seen = [(piece, len(made)) async for piece in response]
    assert seen == [(b"0", 1), (b"1", 2), (b"2", 3)]
