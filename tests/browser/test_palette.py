"""The command palette, the keys and the guard of unsaved changes, by keyboard alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Dialog, Page, expect

from tests.processes import Town

ROWS = """
import json
from catalog.models import *
bus, team = Bus.objects.get(), Team.objects.get()
Bus.objects.update(open_publishing=True)
domain = Domain.objects.create(name="Cinema", slug="cinema", badge="CI", hue=4, team=team)
Source.objects.create(name="Box office", slug="box", uri="/cinema", bus=bus, team=team)
for name, field in (("seats.booked", "row_letter"), ("film.shown", "screen")):
    made = EventType.objects.create(name=name, summary="It happened.", domain=domain, team=team)
    SchemaVersion.objects.create(event_type=made, number=1, schema=json.dumps(
        {"type": "object", "properties": {field: {"type": "string"}}}), example="{}")
"""


def test_the_palette_finds_goes_and_acts_by_keyboard(
    console: Town, visit: Callable[..., Page], in_both_themes: Callable[[Page], list[str]]
) -> None:
    console.manage("shell", "-c", ROWS)
    event = {
        "specversion": "1.0",
        "id": "booking-77-x",
        "source": "/cinema",
        "type": "seats.booked",
        "data": {},
    }
    headers = {"content-type": "application/cloudevents+json"}
    assert console.request("POST", "/v1/buses/main/events", json.dumps(event).encode(), headers).status == 202
    page = visit()
    page.goto(f"{console.url}/sources/", wait_until="networkidle")
    field, active = page.locator("#palette-query"), page.locator('#palette [aria-selected="true"]')

    page.locator("[data-open-palette]").focus()
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    assert in_both_themes(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("[data-open-palette]")).to_be_focused()

    # A type by the name of a field.
    page.keyboard.press("Control+k")
    page.keyboard.type("row_letter")
    expect(active).to_contain_text("seats.booked")
    assert field.get_attribute("aria-activedescendant") == active.get_attribute("id")
    assert in_both_themes(page) == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/seats.booked/")

    # An event by its id, before the answer is there.
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    expect(active).to_contain_text("seats.booked")  # what was chosen lately
    page.keyboard.type("booking-77-x")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/journey/\d+/"))

    # An action.
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.keyboard.type("light dark")
    expect(active).to_contain_text("Switch between light and dark")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_single_keys_work_until_they_are_switched_off(
    console: Town, visit: Callable[..., Page], in_both_themes: Callable[[Page], list[str]]
) -> None:
    page = visit()
    page.goto(f"{console.url}/?view=table", wait_until="networkidle")
    page.keyboard.press("/")
    page.keyboard.type("gs?")
    expect(page.locator("[data-search]")).to_have_value("gs?")
    page.goto(f"{console.url}/?view=table", wait_until="networkidle")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("main tbody a[href]").first).to_be_focused()
    page.keyboard.type("gs")
    page.wait_for_url("**/sources/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("?")
    switch = page.get_by_role("switch")
    expect(switch).to_be_visible()
    assert in_both_themes(page) == []
    switch.uncheck()
    page.keyboard.press("Escape")
    page.keyboard.type("gr?")
    page.reload(wait_until="networkidle")
    page.keyboard.type("gr?")
    expect(page.locator("#keys")).not_to_be_visible()
    assert page.url.endswith("/sources/")


def test_an_unsaved_form_asks_before_it_is_left_and_a_sent_one_does_not(
    console: Town, visit: Callable[..., Page]
) -> None:
    page = visit()
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.goto(f"{console.url}/sources/box/edit/", wait_until="networkidle")
    page.locator("#id_name").focus()
    page.locator("nav.nav a[href='/rules/']").click()
    page.wait_for_url("**/rules/")
    page.goto(f"{console.url}/sources/box/edit/", wait_until="networkidle")
    page.locator("#id_name").fill("")
    page.locator("nav.nav a[href='/rules/']").click(no_wait_after=True)
    page.wait_for_timeout(500)
    assert (asked, page.url) == (["beforeunload"], f"{console.url}/sources/box/edit/")
    # Sent, it does not ask; come back with errors, it does.
    page.locator("main form[data-guard] button[type=submit]").last.click()
    expect(page.locator("#id_name")).to_have_attribute("aria-invalid", "true")
    assert asked == ["beforeunload"]
    page.locator("#id_name").click()
    page.locator("nav.nav a[href='/rules/']").click(no_wait_after=True)
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"] * 2
    page.locator("#id_name").fill("Box office 2")
    page.locator("main form[data-guard] button[type=submit]").last.click()
    page.wait_for_url("**/sources/box/")
    assert asked == ["beforeunload"] * 2
