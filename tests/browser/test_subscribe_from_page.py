"""Subscribing on the page of an event type, without leaving it, and seeing the next event arrive."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.processes import Town

SCHEMA = {
    "type": "object",
    "required": ["seats"],
    "properties": {"seats": {"type": "integer", "description": "How many"}},
}
ROWS = f"""
from catalog.models import *
bus, team = Bus.objects.get(), Team.objects.get()
Bus.objects.update(open_publishing=True)
domain = Domain.objects.create(name="Cinema", slug="cinema", badge="CI", hue=4, team=team)
made = EventType.objects.create(name="seats.booked", summary="Somebody booked seats.", domain=domain, team=team)
SchemaVersion.objects.create(event_type=made, number=1, schema={json.dumps(SCHEMA)!r}, example='{{"seats": 2}}')
"""


def test_a_person_subscribes_on_the_page_of_a_type_and_the_next_event_arrives(
    console: Town, visit: Callable[..., Page], in_both_themes: Callable[[Page], list[str]]
) -> None:
    console.manage("shell", "-c", ROWS)
    page = visit()

    def book(number: int, seats: int) -> None:
        event = {
            "specversion": "1.0", "id": f"b-{number}", "source": "/cinema", "type": "seats.booked",
            "subject": f"booking-{number}", "data": {"seats": seats},
        }  # fmt: skip
        answer = page.request.post(
            f"{console.url}/v1/buses/main/events",
            data=json.dumps(event),
            headers={"content-type": "application/cloudevents+json"},
        )
        assert answer.status == 202, answer.text()

    book(1, 2)
    book(2, 5)
    url = f"{console.url}/events/seats.booked/"
    page.goto(url)
    page.get_by_role("link", name="Subscribe").first.click()
    expect(page.get_by_role("heading", name="Subscribe")).to_be_focused()
    preview = page.locator("#preview")
    expect(preview.get_by_text("booking-2").first).to_be_visible()

    # A value pressed in a real event becomes a condition, which is then loosened.
    preview.get_by_title("Keep only events with this value").get_by_text("5", exact=True).click()
    expect(page.locator("#row-0-path")).to_have_value("data.seats")
    page.locator("#row-0-method").select_option("number")
    page.locator("#row-0-values").fill("≥ 4")
    expect(preview.get_by_text(re.compile("of the 2 events there are would have gone"))).to_contain_text(
        "1 of"
    )
    assert in_both_themes(page) == []

    page.get_by_role("button", name="Start listening").click()
    expect(page.get_by_role("heading", name="Listening.")).to_be_focused()
    assert page.url == url
    expect(page.locator("#listeners")).to_contain_text("Request bin of seats.booked")
    expect(page.locator("#listener-count dd")).to_have_text("1")
    expect(page.locator("#listeners-tab")).to_have_text("1")

    book(3, 3)
    book(4, 9)
    delivered = page.locator("#subscribe-here td[data-label=Delivered]")
    expect(delivered).to_have_text("1", timeout=15_000)

    # Closed, the panel leaves the page as it was.
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#subscribe-here")).to_be_empty()
    expect(page.locator("#subscribe-button")).to_be_focused()


def test_the_full_editor_keeps_what_was_entered_on_the_page(
    console: Town, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(f"{console.url}/events/seats.booked/")
    page.get_by_role("link", name="Subscribe").first.click()
    page.get_by_role("button", name="Condition", exact=True).click()
    page.locator("#row-0-path").fill("data.seats")
    page.locator("#row-0-values").fill("7")
    page.locator("#id_name").fill("Seven seats")
    page.get_by_role("button", name="Open in the full editor").click()
    page.wait_for_url(re.compile("/subscribe/"))
    expect(page.locator("#row-0-path")).to_have_value("data.seats")
    expect(page.locator("#row-0-values")).to_have_value("7")
    expect(page.locator("#id_name")).to_have_value("Seven seats")
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()
    # The address alone opens it for the same type again.
    page.goto(page.url)
    expect(page.locator('input[name="type"]')).to_have_value("seats.booked")


def test_the_name_of_the_rule_follows_the_target_until_somebody_writes_one(
    console: Town, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(f"{console.url}/subscribe/?type=seats.booked")
    name = page.locator("#id_name")
    expect(name).to_have_value(re.compile("^seats.booked to a request bin"))
    page.locator('input[value="connector:http"]').check()
    page.locator('[name="config-http-url"]').fill("http://hooks.example/x")
    expect(name).to_have_value("seats.booked to hooks.example")
    expect(page.locator("#id_target-name")).to_have_attribute("placeholder", "hooks.example")
    name.fill("Mine")
    page.locator('[name="config-http-url"]').fill("http://other.example/x")
    expect(page.locator("#id_target-name")).to_have_attribute("placeholder", "other.example")
    expect(name).to_have_value("Mine")
