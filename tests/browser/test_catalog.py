"""The catalog's pages in a browser: registering, finding and publishing; both themes; phone; keyboard; no JavaScript."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NAME, PASSWORD, sideways
from tests.processes import Town

SCHEMA = {
    "type": "object",
    "required": ["order_id", "total"],
    "properties": {
        "order_id": {"type": "string", "minLength": 3, "description": "The shop's own number"},
        "total": {
            "type": "object",
            "required": ["amount", "currency"],
            "properties": {"amount": {"type": "number", "minimum": 0}, "currency": {"enum": ["EUR", "SEK"]}},
        },
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    },
}
EXAMPLE = {"order_id": "order-1", "total": {"amount": 12.5, "currency": "EUR"}, "lines": [{"sku": "40017"}]}
ROWS = f"""
from catalog.models import *
team, bus = Team.objects.get(slug="checkout"), Bus.objects.get(name="main")
domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
source = Source.objects.create(name="Shop", slug="shop", uri="/shop/checkout", bus=bus, team=team)
for name in ("order.placed", "order.cancelled"):
    made = EventType.objects.create(name=name, summary="A customer did something.", domain=domain, team=team)
    made.sources.add(source)
    SchemaVersion.objects.create(event_type=made, number=1, schema={json.dumps(SCHEMA, indent=1)!r},
        example={json.dumps(EXAMPLE)!r})
"""
PAGES = [
    "/",
    "/?view=table",
    "/?q=refnud",
    "/events/order.placed/",
    "/events/new/",
    "/events/order.placed/publish/",
    "/events/order.placed/delete/",
    "/welcome/",
    "/events/order.placed/versions/new/",
    "/export/",
    "/sources/",
    "/sources/shop/",
    "/sources/new/",
    "/settings/tokens/",
    "/settings/buses/",
]


@pytest.fixture(scope="module", autouse=True)
def rows(console: Town) -> None:
    console.manage("shell", "-c", ROWS)


@pytest.mark.parametrize("path", ["/sign-in/", *PAGES])
def test_a_page_has_no_accessibility_violations_in_either_theme(console, visit, in_both_themes, path):
    page = visit(signed_in=path != "/sign-in/")
    page.goto(console.url + path, wait_until="networkidle")
    assert in_both_themes(page) == []


def test_a_form_with_errors_and_an_open_menu_have_no_accessibility_violations(console, visit, accessibility):
    page = visit()
    page.goto(f"{console.url}/events/new/")
    page.get_by_role("button", name="Register v1").click()
    expect(page.get_by_text("Choose a domain, or name a new one.")).to_be_visible()
    page.get_by_label("Your menu").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert accessibility(page) == []


def test_no_page_scrolls_sideways_on_a_phone(console, visit):
    page = visit(phone=True)
    wide = {}
    for path in PAGES:
        page.goto(console.url + path, wait_until="networkidle")
        wide[path] = sideways(page)
    assert wide == dict.fromkeys(PAGES, 0)


def test_signing_in_and_out(console, visit):
    page = visit(signed_in=False)
    page.goto(f"{console.url}/sources/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{console.url}/sources/")
    page.get_by_label("Your menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{console.url}/sign-in/")


def test_search_answers_while_typing_and_its_address_can_be_shared(console, visit):
    page = visit()
    page.goto(console.url)
    # Signalbox's own types, which appear a moment after the first of somebody else's, have a shelf of their own.
    expect(page.get_by_role("region", name="Orders").locator(".good")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("cancelled")
    expect(page.locator(".good")).to_have_count(1)
    expect(page.locator(".good")).to_contain_text("order.cancelled")
    expect(page).to_have_url(f"{console.url}/?q=cancelled")
    page.reload()
    expect(page.get_by_label("Search event types")).to_have_value("cancelled")
    expect(page.locator(".good")).to_have_count(1)
    page.get_by_label("Search event types").fill("data.total.amount")
    expect(page.locator("#results")).to_contain_text("data.total.amount is a field of 2 event types: number")
    expect(page.locator(".good")).to_have_count(2)
    expect(page.locator(".good").first).to_contain_text("field data.total.amount")


def test_the_parts_of_a_long_page_are_reached_from_its_top(console, visit):
    page = visit()
    page.goto(f"{console.url}/events/order.placed/", wait_until="networkidle")
    parts = page.get_by_role("navigation", name="On this page")
    for link in parts.get_by_role("link").all():
        assert page.locator(link.get_attribute("href") or "").count() == 1
    parts.get_by_role("link", name="How to publish").click()
    heading = page.get_by_role("heading", name="How to publish")
    expect(heading).to_be_in_viewport()
    # Not under the parts, which stay in sight.
    assert (heading.bounding_box() or {})["y"] > (parts.bounding_box() or {})["y"] + 30


def test_the_theme_that_was_chosen_stays(console, visit):
    page = visit()
    page.goto(console.url)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Switch between light and dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.goto(f"{console.url}/sources/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_an_event_type_is_registered_with_its_mistakes_shown_first(console, visit):
    page = visit()
    page.goto(f"{console.url}/events/new/")
    page.get_by_label("Name").fill("order.placed")
    expect(page.locator("#name-check")).to_contain_text("taken")
    page.get_by_label("Name").fill("signal.changed")
    expect(page.locator("#name-check")).to_contain_text("free")
    page.get_by_label("In one sentence").fill("A street signal changed colour.")
    page.get_by_text("New domain…").click()
    page.get_by_label("New domain").fill("City traffic")
    page.locator("#id_team").select_option(label="Checkout")
    page.get_by_label("JSON Schema").fill('{\n  "type": "objekt"\n}')
    page.get_by_role("button", name="Register v1").click()
    expect(page.locator("#id_schema_error")).to_contain_text("Line 2")
    expect(page.locator("code-area .l.bad")).to_have_count(1)
    page.get_by_label("JSON Schema").fill(
        '{"type": "object", "properties": {"colour": {"enum": ["red", "green"]}}}'
    )
    page.get_by_label("Example").fill('{"colour": "red"}')
    page.get_by_role("button", name="Register v1").click()
    expect(page).to_have_url(f"{console.url}/events/signal.changed/")
    expect(page.get_by_role("heading", name="signal.changed")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="on the shelf")).to_be_visible()
    expect(page.locator(".fields")).to_contain_text("one of red, green")


def test_a_test_event_reaches_the_log_and_a_wrong_one_is_told_at_its_field(console, visit):
    page = visit()
    page.goto(f"{console.url}/events/order.placed/")
    page.get_by_role("main").get_by_role("link", name="Send a test event").first.click()
    page.get_by_label("Subject").fill("order-7")
    page.get_by_label("amount").fill("-3")
    page.get_by_role("button", name="Send the event").click()
    expect(page.locator(".field", has=page.get_by_label("amount"))).to_contain_text("at least 0")
    page.get_by_label("amount").fill("99.5")
    page.get_by_role("button", name="Send the event").click()
    expect(page.get_by_text("Accepted.")).to_be_visible()
    expect(page.get_by_label("The event as stored")).to_contain_text("99.5")
    page.get_by_role("link", name="Its journey").click()
    expect(page.get_by_role("main")).to_contain_text("order.placed")
    page.goto(f"{console.url}/events/order.placed/")
    expect(page.get_by_label("A real event of this type")).to_contain_text("order-7")


def test_the_schema_and_the_languages_switch_in_place(console, visit):
    page = visit()
    page.goto(f"{console.url}/events/order.placed/")
    page.get_by_role("link", name="JSON Schema").click()
    expect(page.get_by_label("JSON Schema", exact=True)).to_contain_text("minLength")
    page.get_by_role("link", name="Python").click()
    expect(page.locator("#snippet")).to_contain_text("to_structured_event")
    page.get_by_role("link", name="JavaScript").click()
    expect(page.locator("#snippet")).to_contain_text("HTTP.structured")


def test_a_token_is_shown_once_and_revoked_after_a_question(console, visit):
    page = visit()
    page.goto(f"{console.url}/settings/tokens/")
    page.get_by_label("Name").fill("the shop")
    page.get_by_role("button", name="Make the token").click()
    expect(page.locator("#token")).to_contain_text("sbx_")
    page.goto(f"{console.url}/settings/tokens/")
    expect(page.locator("#token")).to_have_count(0)
    page.get_by_role("button", name="Revoke the shop").click()
    expect(page.get_by_role("dialog")).to_contain_text("Revoke “the shop”?")
    page.get_by_role("button", name="Revoke the token").click()
    expect(page.locator("tr", has_text="the shop")).to_contain_text("revoked")


def test_without_javascript_one_browses_searches_and_registers(console, visit):
    page = visit(script=False)
    page.goto(console.url)
    page.get_by_label("Search event types").fill("cancelled")
    page.get_by_label("Search event types").press("Enter")
    expect(page.locator(".good")).to_have_count(1)
    page.goto(f"{console.url}/events/new/")
    page.get_by_label("Name").fill("order.amended")
    page.get_by_label("In one sentence").fill("Lines changed after the order was placed.")
    page.locator("#id_domain").select_option(label="Orders")
    page.locator("#id_team").select_option(label="Checkout")
    page.get_by_role("button", name="Register v1").click()
    expect(page.get_by_role("heading", name="order.amended")).to_be_visible()
    page.get_by_role("link", name="Send a test event").first.click()
    page.get_by_role("button", name="Send the event").click()
    expect(page.get_by_text("Accepted.")).to_be_visible()


def test_the_first_page_is_light_and_the_skip_link_comes_first(console, visit):
    page = visit()
    sizes = {}
    page.on(
        "response", lambda answer: sizes.setdefault(answer.url, len(answer.body())) if answer.ok else None
    )
    page.goto(console.url, wait_until="networkidle")
    scripts = sum(size for url, size in sizes.items() if url.endswith(".js"))
    assert scripts <= 90_000
    assert len(sizes) <= 27
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")


def test_enter_while_the_search_runs_breaks_nothing(console: Town, visit) -> None:
    page = visit()
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(console.url)
    page.locator("#q").press_sequentially("order.plac", delay=40)
    page.locator("#q").press("Enter")
    expect(page.locator("#results")).to_contain_text("order.placed")
    expect(page.locator("#results")).not_to_contain_text("order.cancelled")
    page.wait_for_url("**/?q=order.plac")
    assert said == []
