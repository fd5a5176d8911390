"""The map in a browser: follow a node by click and by keys, the table, sizes, both themes, a phone, no script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sideways
from tests.processes import Town, eventually

ROWS = """
from catalog.models import *
from rules.models import Rule, Target
from rules.revisions import subscribe
team, bus = Team.objects.get(), Bus.objects.get()
for number, (name, types) in enumerate({"Orders": ("order.placed", "order.cancelled"), "Parcels": ("parcel.sent",)}.items()):
    domain = Domain.objects.create(name=name, slug=name.lower(), badge=name[:2].upper(), hue=number, team=team)
    source = Source.objects.create(name=f"{name} desk", slug=name.lower(), uri=f"/{name.lower()}", bus=bus, team=team)
    for one in types:
        EventType.objects.create(name=one, summary="It happened.", domain=domain, team=team).sources.add(source)
    rule = Rule(name=f"Watch {name.lower()}", bus=bus, team=team, pattern={"type": list(types)})
    subscribe(rule, Target(name=f"{name} archive", connector="http", config={"url": f"http://127.0.0.1:9/{number}"}))
"""


def drawn_width(page: Page) -> float:
    """How wide the map is, in pixels. News may replace the drawing between the look for it and the measuring."""
    boxes: list[float] = []

    def measured() -> bool:
        box = page.locator(".topo").bounding_box()
        boxes.append(box["width"] if box else 0)
        return boxes[-1] > 0

    eventually(measured, "the map is drawn")
    return boxes[-1]


@pytest.fixture(scope="module", autouse=True)
def rows(console: Town) -> None:
    console.manage("shell", "-c", ROWS)


def test_the_map_is_followed_by_click_and_keys_and_read_as_a_table(
    console, visit, accessibility, in_both_themes
):
    page = visit()
    page.goto(f"{console.url}/map/")
    dimmed = page.locator(".topo .nd.dim")
    expect(page.get_by_role("link", name="order.placed, event type, no events yet")).to_be_visible()
    expect(dimmed).to_have_count(0)
    page.get_by_role("link", name="Watch orders, rule").click()
    expect(page).to_have_url(re.compile(r"focus=rule:\d+$"))
    expect(page.get_by_role("heading", name="Watch orders")).to_be_visible()
    # Signalbox's own types appear a moment after the others, so what steps back is named, not counted.
    expect(dimmed.filter(has_text="parcel.sent")).to_have_count(1)
    expect(dimmed.filter(has_text=re.compile("order.placed|order.cancelled|Watch orders"))).to_have_count(0)
    assert in_both_themes(page) == []
    page.get_by_role("link", name="parcel.sent, event type").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="parcel.sent")).to_be_visible()
    # Plus and minus change the size, and what is larger than its place is moved by hand.
    expect(page.get_by_role("button", name="Larger")).to_be_visible()
    port = page.get_by_role("region", name="Map.")
    port.focus()
    width = drawn_width(page)
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert drawn_width(page) > width * 1.4
    before, box = port.evaluate("port => port.scrollLeft"), port.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 60, steps=3)
    page.mouse.up()
    assert port.evaluate("port => port.scrollLeft") == pytest.approx(before + 50, abs=1)
    page.get_by_role("button", name="The whole map").click()
    assert drawn_width(page) <= width
    # The search leads to a node, and the table says the same in words.
    page.keyboard.press("/")
    page.keyboard.type("cancel")
    page.locator("#map-found").get_by_role("link", name="order.cancelled").click()
    expect(page.get_by_role("heading", name="order.cancelled")).to_be_visible()
    page.get_by_role("link", name="Table").click()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("order.cancelled")
    expect(row).to_contain_text("Watch orders")
    assert accessibility(page) == []


def test_the_map_fits_a_phone_and_works_without_script(console, visit):
    page = visit(phone=True)
    for path in ("/map/", "/map/?focus=type:order.placed", "/map/?view=table"):
        page.goto(console.url + path)
        assert sideways(page) == 0, path
    plain = visit(script=False)
    plain.goto(f"{console.url}/map/")
    plain.get_by_role("link", name="order.placed, event type, no events yet").click()
    expect(plain.get_by_role("heading", name="order.placed")).to_be_visible()
