"""The rule editor as a person uses it: conditions with counts, a template with completion, a draft, a trial, the start."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sideways
from tests.processes import Town

TYPE = "shop.order.placed"
SCHEMA = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string"},
        "total": {
            "type": "object",
            "properties": {"amount": {"type": "number"}, "currency": {"type": "string"}},
        },
    },
}
REGISTER = """
import json
from catalog.models import *
team, bus = Team.objects.get(slug="checkout"), Bus.objects.get(name="main")
bus.open_publishing = True; bus.save()
domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", team=team)
made = EventType.objects.create(name={type!r}, summary="A customer ordered.", domain=domain, team=team)
SchemaVersion.objects.create(event_type=made, number=1, schema={schema!r}, example="{{}}")
"""


def publish(console: Town, number: int, amount: float, currency: str = "SEK") -> None:
    """Posts one order."""
    event = {
        "specversion": "1.0", "id": f"order-{number}", "source": "/shop", "type": TYPE, "subject": f"o-{number}",
        "data": {"order_id": f"o-{number}", "total": {"amount": amount, "currency": currency}},
    }  # fmt: skip
    answer = console.request(
        "POST",
        "/v1/buses/main/events",
        json.dumps(event).encode(),
        {"content-type": "application/cloudevents+json"},
    )
    assert answer.status == 202, answer.body


@pytest.fixture(scope="module")
def shop(console: Town) -> Town:
    """The town with a type of orders, and twenty orders: ten large ones, five of them in SEK."""
    console.manage("shell", "-c", REGISTER.format(type=TYPE, schema=json.dumps(SCHEMA)))
    for number in range(20):
        publish(console, number, 900 if number % 2 else 90, "SEK" if number % 4 < 2 else "EUR")
    return console


def verdict(page: Page) -> Any:
    """The sentence that counts."""
    return page.locator("#preview .verdict")


def test_a_person_builds_a_rule_tries_it_starts_it_and_the_next_event_arrives_transformed(
    shop: Town, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(f"{shop.url}/subscribe/?type={TYPE}")
    expect(verdict(page)).to_contain_text("20 of the 20 events")

    # A condition by hand; its count changes, and so does its own pass rate.
    page.get_by_role("button", name="Condition", exact=True).click()
    expect(page.locator("#row-0-path")).to_be_focused()
    page.locator("#row-0-path").fill("data.total.amount")
    page.locator("#row-0-method").select_option("number")
    page.locator("#row-0-values").fill("≥ 500")
    expect(verdict(page)).to_contain_text("10 of the 20 events")
    expect(page.locator("#row-0-pass")).to_contain_text("50%")
    # One by pressing a value of an event in the list.
    page.get_by_role("button", name="Show event o-17").click()
    page.locator(".pressable").get_by_role("button", name='"SEK"').click()
    expect(page.locator("#row-1-path")).to_have_value("data.total.currency")
    expect(verdict(page)).to_contain_text("5 of the 20 events")
    expect(page.locator("#preview .why").filter(has_text="the rule wants").first).to_be_visible()
    # As JSON and back.
    page.get_by_role("button", name="JSON", exact=True).click()
    expect(page.locator("#pattern")).to_have_value(re.compile('"numeric"'))
    page.get_by_role("button", name="Conditions").click()
    expect(page.locator("#row-1-values")).to_have_value("SEK")

    # A template, completed with the keyboard alone.
    page.locator(".send").get_by_text("Template", exact=True).click()
    page.locator("#template").fill("Order ${data.order_id}, by ${source")
    expect(page.locator("#template-area .v")).to_have_text(["${data.order_id}", "${source"])
    page.locator("#template").fill("")
    page.locator("#template").press_sequentially('{"ref": "${order_')
    expect(page.locator("code-area [role=option]").first).to_have_text(re.compile("data.order_id"))
    page.keyboard.press("Tab")
    expect(page.locator("#template")).to_have_value('{"ref": "${data.order_id}"}')
    # The caret stands after what was put in, and one Undo takes it back.
    caret = "() => document.getElementById('template').selectionStart"
    assert page.evaluate(caret) == len('{"ref": "${data.order_id}')
    page.keyboard.press("Control+z")
    expect(page.locator("#template")).to_have_value('{"ref": "${order_}"}')
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#template")).to_have_value('{"ref": "${data.order_id}"}')
    expect(page.locator("#send-verdict")).to_contain_text("Valid JSON for all 5 matching events")
    expect(page.locator(".pressable mark")).to_have_text(re.compile('"o-[0-9]+"'))
    expect(page.locator("#preview")).to_contain_text("content-type: application/json")

    # A draft does not listen.
    page.locator("#id_name").fill("Large orders")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url(re.compile(r"/rules/[0-9]+/edit/"))
    expect(page.get_by_text("Draft, not listening yet")).to_be_visible()
    publish(shop, 100, 1000)

    # One for real, after being asked.
    page.get_by_role("button", name="Send one for real").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("for real?")
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#trial")).to_contain_text("Request bin of Large orders took it.")
    expect(page.locator("#trial")).to_contain_text("200")

    page.get_by_role("button", name="Start listening").click()
    page.wait_for_url(re.compile(r"/rules/[0-9]+/$"))
    expect(page.get_by_text("Listening", exact=True).first).to_be_visible()
    expect(page.get_by_text("It started to listen.")).to_be_visible()

    publish(shop, 101, 10)
    publish(shop, 102, 1000)
    page.goto(f"{shop.url}/bins/")
    page.locator("td a.strong").first.click()
    expect(page.get_by_text('"o-102"').first).to_be_visible()
    received = page.locator("main").inner_text()
    assert "o-101" not in received
    assert "o-100" not in received  # it came while the rule was a draft


def test_a_change_of_a_rule_that_listens_shows_what_it_gains_and_loses(
    shop: Town, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(f"{shop.url}/rules/")
    page.get_by_role("link", name="Large orders", exact=True).click()
    page.get_by_role("link", name="Edit").click()
    page.locator("#row-0-values").fill("< 500")
    page.get_by_role("button", name="Save the rule").click()
    asks = page.get_by_role("alertdialog")
    expect(asks).to_contain_text("events gained")
    expect(asks).to_contain_text("events lost")
    page.get_by_role("button", name="Keep editing").click()
    expect(asks).to_have_count(0)
    expect(page.locator("#row-0-values")).to_have_value("< 500")
    page.get_by_role("button", name="Save the rule").click()
    page.get_by_role("button", name=re.compile("^Save: ")).click()
    page.wait_for_url(re.compile(r"/rules/[0-9]+/$"))
    page.get_by_role("link", name="Compare and go back").click()
    expect(page.get_by_text("Condition changed: data.total.amount number < 500").first).to_be_visible()
    page.get_by_role("button", name=re.compile("Go back to revision")).first.click()
    page.get_by_role("button", name=re.compile("^Go back: ")).click()
    expect(page.get_by_text(re.compile("^back to r"))).to_be_visible()


def test_a_value_pressed_beside_a_group_is_a_condition_that_goes_away_alone(
    shop: Town, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(f"{shop.url}/subscribe/?type={TYPE}")
    page.get_by_role("button", name="Any of these…").click()
    page.locator("#row-0-path").fill("data.total.amount")
    page.locator("#row-0-method").select_option("number")
    page.locator("#row-0-values").fill("≥ 500")
    page.locator("#row-1-path").fill("data.order_id")
    page.locator("#row-1-values").fill("o-0, o-1")
    expect(page.locator("#row-0-pass")).to_contain_text("%")
    page.locator(".pressable").get_by_role("button", name=re.compile('^"(SEK|EUR)"$')).click()
    expect(page.locator(".cond")).to_have_count(3)
    expect(page.locator("#row-0-path")).to_have_value("data.total.currency")
    shown = [row.get_attribute("id") for row in page.locator(".cond .path").all()]
    assert shown == ["row-0-path", "row-1-path", "row-2-path"]
    page.get_by_role("button", name="Remove data.total.currency").click()
    expect(page.locator(".cond")).to_have_count(2)
    expect(page.locator("#row-0-path")).to_have_value("data.total.amount")
    expect(page.locator("#row-1-path")).to_have_value("data.order_id")


def test_the_caret_stays_where_the_work_is(shop: Town, visit: Callable[..., Page]) -> None:
    page = visit()
    page.goto(f"{shop.url}/subscribe/?type={TYPE}")
    for number, path in enumerate(("subject", "id", "source")):
        page.get_by_role("button", name="Condition", exact=True).click()
        page.locator(f"#row-{number}-path").fill(path)
        page.locator(f"#row-{number}-values").fill("x")
    # Removing leads to the row that comes after, then to the one before, then to the button.
    page.get_by_role("button", name="Remove id").click()
    expect(page.locator("#row-1-values")).to_be_focused()
    page.get_by_role("button", name="Remove source").click()
    expect(page.locator("#row-0-values")).to_be_focused()
    page.get_by_role("button", name="Remove subject").click()
    expect(page.locator("#add-row")).to_be_focused()
    # Enter in the field of types adds one and waits for the next.
    page.locator("#add-type").fill("shop.order.plaiced")
    page.keyboard.press("Enter")
    expect(page.locator("#type-unseen")).to_contain_text("shop.order.plaiced")
    expect(page.locator("#add-type")).to_be_focused()
    expect(page.locator("#add-type")).to_have_value("")
    # What was not saved leads to its first mistake, also a folded one.
    page.locator("#id_name").fill("Carets")
    page.get_by_role("button", name="Start listening").click()
    page.get_by_role("link", name="Edit", exact=True).first.click()
    page.get_by_text("Advanced").click()
    page.locator("#sql").fill("this is AND")
    page.get_by_text("Advanced").click()
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_text("Not saved.")).to_be_visible()
    expect(page.locator("#sql")).to_be_focused()
    page.on("dialog", lambda dialog: dialog.accept())


def test_leaving_with_something_unsaved_asks_first(shop: Town, visit: Callable[..., Page]) -> None:
    page = visit()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.goto(f"{shop.url}/subscribe/?type={TYPE}")
    page.locator("#id_name").fill("Not yet")
    page.evaluate("location.assign('/rules/')")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert "/subscribe/" in page.url


def test_without_script_every_button_still_works(shop: Town, visit: Callable[..., Page]) -> None:
    page = visit(script=False)
    page.goto(f"{shop.url}/subscribe/?type={TYPE}")
    page.get_by_role("button", name="Condition", exact=True).click()
    page.locator("#row-0-path").fill("data.total.amount")
    page.locator("#row-0-method").select_option("number")
    page.locator("#row-0-values").fill("≥ 500")
    page.get_by_role("button", name="Try it on past events").click()
    expect(page.locator(".verdict")).to_contain_text("events")
    page.go_back()
    page.locator("#id_name").fill("Without script")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved as a draft.")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_editor_is_accessible_and_fits(
    shop: Town,
    visit: Callable[..., Page],
    accessibility: Callable[[Page], list[str]],
    dark: bool,
    phone: bool,
) -> None:
    page = visit(dark=dark, phone=phone)
    page.goto(f"{shop.url}/subscribe/?type={TYPE}")
    # The first answer moves what stands below the strip: a click at that moment would land beside the button.
    expect(page.locator(".verdict")).to_contain_text("events")
    page.get_by_role("button", name="Any of these…").click()
    page.locator("#row-0-path").fill("data.total.currency")
    page.locator("#row-0-values").fill("SEK")
    page.locator("#row-1-path").fill("data.total.amount")
    page.locator("#row-1-method").select_option("number")
    page.locator("#row-1-values").fill("≥ 500")
    page.locator(".send").get_by_text("Template", exact=True).click()
    page.get_by_text("Advanced").click()
    expect(page.locator("#send-verdict")).to_contain_text("Valid JSON")
    assert accessibility(page) == []
    assert sideways(page) == 0
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#send-verdict")).to_contain_text("Valid JSON")
    page.get_by_role("button", name="Send one for real").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    assert accessibility(page) == []
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Compare and go back").click()
    page.get_by_text("As JSON").first.click()
    assert accessibility(page) == []
    assert sideways(page) == 0


def test_the_other_widths_scroll_nowhere_sideways(shop: Town, visit: Callable[..., Page]) -> None:
    page = visit()
    for width in (1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{shop.url}/subscribe/?type={TYPE}")
        expect(verdict(page)).to_contain_text("events")
        assert sideways(page) == 0
