"""Following in a browser: pressing the button, being told, and the pages in both themes and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sideways
from tests.processes import Town, eventually

ROWS = """
from catalog.models import *
team, bus = Team.objects.get(slug="checkout"), Bus.objects.get(name="main")
domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
source = Source.objects.create(name="Shop", slug="shop", uri="/shop/checkout", bus=bus, team=team)
for name in ("order.placed", "order.placed.v2"):
    made = EventType.objects.create(name=name, summary="A customer committed to buy.", domain=domain, team=team)
    made.sources.add(source)
    SchemaVersion.objects.create(event_type=made, number=1, schema="{}")
"""
DEPRECATE = """
from catalog import changes
from catalog.models import EventType
changes.record("type.deprecated", event_type=EventType.objects.get(name="order.placed"),
    detail={"successor": "order.placed.v2", "ends_on": "2027-01-31"})
"""
PUBLISHED = "SELECT subject FROM log_event WHERE type = 'dev.signalbox.type.deprecated'"


@pytest.fixture(scope="module", autouse=True)
def rows(console: Town) -> None:
    console.manage("shell", "-c", ROWS)


def test_a_follower_is_told_of_a_deprecation_with_its_successor(
    console, visit, accessibility, in_both_themes
):
    page = visit()
    page.goto(f"{console.url}/sources/shop/")
    page.get_by_role("button", name="Follow shop").click()
    button = page.get_by_role("button", name="Following shop")
    expect(button).to_have_attribute("aria-pressed", "true")
    console.manage("shell", "-c", DEPRECATE)
    eventually(lambda: console.query(PUBLISHED) == [("order.placed",)], "the change is on the bus")
    page.goto(f"{console.url}/changes/")
    news = page.get_by_role("main").get_by_role("listitem").first
    expect(news).to_contain_text("order.placed new is deprecated and ends on 31 January 2027.")
    expect(news).to_contain_text("Use order.placed.v2 in its place.")
    found = {"/changes/": in_both_themes(page)}
    page.goto(f"{console.url}/following/")
    found["/following/"] = accessibility(page)
    assert found == {"/changes/": [], "/following/": []}
    page.get_by_role("button", name="Make an address").click()
    address = page.locator("#feed").inner_text()
    assert "order.placed" in visit(signed_in=False).request.get(address).text()
    phone = visit(phone=True)
    for path in ("/changes/", "/following/"):
        phone.goto(console.url + path)
        assert sideways(phone) == 0, path
