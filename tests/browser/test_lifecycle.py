"""The lifecycle and a source's first event in a browser: what an owner announces is on the page, what comes shows itself."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sideways
from tests.processes import Town

ROWS = """
from catalog.models import *
team, bus = Team.objects.get(), Bus.objects.get()
domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
source = Source.objects.create(name="Shop", slug="shop", uri="/shop/checkout", bus=bus, team=team, prefix="order.")
for name in ("order.placed", "order.committed"):
    made = EventType.objects.create(name=name, summary="A customer did something.", domain=domain, team=team)
    SchemaVersion.objects.create(event_type=made, number=1, schema="{}", example="{}")
"""


@pytest.fixture(scope="module", autouse=True)
def rows(console: Town) -> None:
    console.manage("shell", "-c", ROWS)


def test_a_type_is_deprecated_with_a_successor_and_says_so_on_its_page(console, visit, accessibility):
    page = visit(phone=True)
    page.goto(f"{console.url}/events/order.placed/")
    page.get_by_role("link", name="Its lifecycle").click()
    # Names are offered as they are typed.
    page.get_by_label("What takes its place").press_sequentially("committed")
    expect(page.locator("#successors option")).to_have_attribute("value", "order.committed")
    page.get_by_label("What takes its place").fill("order.committed")
    page.get_by_label("Last day").fill("2100-03-31")
    page.get_by_label("Why, and what to do").fill("Listen to order.committed instead.")
    assert accessibility(page) == []
    assert sideways(page) == 0
    page.get_by_role("button", name="Deprecate it").click()
    expect(page).to_have_url(f"{console.url}/events/order.placed/")
    banner = page.locator(".ending")
    expect(banner).to_contain_text("Deprecated, ends on 31 March 2100. Listen to order.committed instead.")
    expect(banner).to_contain_text("0 subscriptions, 0 events a day still use it")
    assert sideways(page) == 0
    banner.get_by_role("link", name="order.committed").click()
    expect(page).to_have_url(f"{console.url}/events/order.committed/")


def test_the_first_event_of_a_source_shows_itself(console, visit, accessibility):
    page = visit()
    page.goto(f"{console.url}/sources/shop/")
    expect(page.get_by_text("Waiting for its first event")).to_be_visible()
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("#token").inner_text()
    assert accessibility(page) == []
    event = {"specversion": "1.0", "id": "1", "type": "order.placed", "source": "/shop/checkout", "data": {}}
    answer = page.request.post(
        f"{console.url}/v1/buses/main/events",
        data=json.dumps(event),
        headers={"content-type": "application/cloudevents+json", "authorization": f"Bearer {token}"},
    )
    assert answer.status == 202
    expect(page.get_by_text("First event seen")).to_be_visible()
    expect(page.locator("#first-event")).not_to_have_attribute("hx-trigger", "every 2s")


def test_what_owners_decide_is_readable_on_a_phone(console, visit, accessibility):
    page = visit(phone=True)
    for path in ("/approvals/", "/settings/buses/main/retire/"):
        page.goto(console.url + path)
        assert accessibility(page) == []
        assert sideways(page) == 0
